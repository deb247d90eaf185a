# cmake --install: headers, libraries, the command line, and a package for find_package(chalkgrad). The result can be
# moved: nothing in it names where it was built or installed.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/chalkgrad)
set_target_properties(chalkgrad_core PROPERTIES EXPORT_NAME core)
set_target_properties(chalkgrad_core chalkgrad PROPERTIES INSTALL_RPATH "$ORIGIN")

install(TARGETS chalkgrad_core chalkgrad EXPORT chalkgradTargets)
install(DIRECTORY include/chalkgrad TYPE INCLUDE FILES_MATCHING PATTERN "*.h" PATTERN "*.inc")
install(EXPORT chalkgradTargets NAMESPACE chalkgrad:: DESTINATION ${package_dir})

# A static library leaves what it was built on to be linked by its users; a shared one brings it along.
set(static_dependencies "")
get_target_property(kind chalkgrad TYPE)
if(kind STREQUAL "STATIC_LIBRARY")
  set(static_dependencies [[
find_dependency(ZLIB)
find_dependency(PNG)
find_dependency(JPEG)
find_dependency(PkgConfig)
pkg_check_modules(NETTLE REQUIRED IMPORTED_TARGET nettle)
]])
endif()
configure_package_config_file(cmake/chalkgradConfig.cmake.in chalkgradConfig.cmake INSTALL_DESTINATION ${package_dir}
                              NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(chalkgradConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/chalkgradConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/chalkgradConfigVersion.cmake
        DESTINATION ${package_dir})
install(FILES LICENSE CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

if(TARGET chalkgrad_app)
  if(BUILD_SHARED_LIBS)  # a static program has no RPATH that could be set on installing it
    file(RELATIVE_PATH to_libraries /${CMAKE_INSTALL_BINDIR} /${CMAKE_INSTALL_LIBDIR})
    set_target_properties(chalkgrad_app PROPERTIES INSTALL_RPATH "$ORIGIN/${to_libraries}")
  endif()
  install(TARGETS chalkgrad_app)
endif()
