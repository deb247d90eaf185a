# Embeds a file in a library as bytes, with nothing but CMake.
#   chalkgrad_embed(<out> <file> <name>)   sets <out> to a generated .cc that defines
#     chalk::embedded::<name>       the bytes
#     chalk::embedded::<name>_size  their number
if(CMAKE_SCRIPT_MODE_FILE)  # the build step: cmake -DINPUT=… -DOUTPUT=… -DNAME=… -P embed.cmake
  file(READ ${INPUT} bytes HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  get_filename_component(file ${INPUT} NAME)
  file(WRITE ${OUTPUT} "// Generated from ${file} by cmake/embed.cmake.
#include <cstddef>

namespace chalk::embedded {

extern const unsigned char ${NAME}[] = {
${bytes}};
extern const std::size_t ${NAME}_size = sizeof(${NAME});

}  // namespace chalk::embedded
")
  return()
endif()

set(CHALKGRAD_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE} CACHE INTERNAL "")
function(chalkgrad_embed out file name)
  set(generated ${PROJECT_BINARY_DIR}/embedded/${name}.cc)
  add_custom_command(OUTPUT ${generated}
    COMMAND ${CMAKE_COMMAND} -DINPUT=${file} -DOUTPUT=${generated} -DNAME=${name} -P ${CHALKGRAD_EMBED_SCRIPT}
    DEPENDS ${file} ${CHALKGRAD_EMBED_SCRIPT} COMMENT "Embedding ${name}" VERBATIM)
  set(${out} ${generated} PARENT_SCOPE)
endfunction()
