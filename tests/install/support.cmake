# What the tests of installing share. BUILD is the build at hand; ${built_…} is of its cache.

function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

get_filename_component(SOURCE ${CMAKE_CURRENT_LIST_DIR}/../.. ABSOLUTE)
get_filename_component(BUILD ${BUILD} ABSOLUTE)
load_cache(${BUILD} READ_WITH_PREFIX built_ CMAKE_GENERATOR CMAKE_CXX_COMPILER CMAKE_BUILD_TYPE CHALKGRAD_APP
           CHALKGRAD_CAN_BE_STATIC)
set(as_built -G ${built_CMAKE_GENERATOR} -DCMAKE_CXX_COMPILER=${built_CMAKE_CXX_COMPILER} -Wno-dev)

# Runs what consumer/users.cmake made in a folder.
function(run_users folder)
  run(${folder}/core_only)
  run(${folder}/consumer)
  run(${folder}/host ${folder}/libplugin.so)
endfunction()
