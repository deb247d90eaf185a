# What users make of chalkgrad::chalkgrad and chalkgrad::core, however they came by them.
set(here ${CMAKE_CURRENT_LIST_DIR})
add_library(learn OBJECT ${here}/learn.cc)
set_target_properties(learn PROPERTIES POSITION_INDEPENDENT_CODE ON)
target_link_libraries(learn PRIVATE chalkgrad::chalkgrad)

add_executable(consumer ${here}/main.cc $<TARGET_OBJECTS:learn>)
target_link_libraries(consumer PRIVATE chalkgrad::chalkgrad)
add_executable(core_only ${here}/core_only.cc)
target_link_libraries(core_only PRIVATE chalkgrad::core)

add_library(plugin MODULE $<TARGET_OBJECTS:learn>)
set_target_properties(plugin PROPERTIES LINKER_LANGUAGE CXX)
target_link_libraries(plugin PRIVATE chalkgrad::chalkgrad)
target_link_options(plugin PRIVATE -Wl,-z,defs)
add_executable(host ${here}/host.cc)
target_link_libraries(host PRIVATE ${CMAKE_DL_LIBS})
