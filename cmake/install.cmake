# cmake --install: headers, libraries, the command line, and packages for find_package(chalkgrad) and pkg-config. The
# result can be moved: nothing in it names where it was built or installed.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/chalkgrad)
set_target_properties(chalkgrad_core PROPERTIES EXPORT_NAME core)
set_target_properties(chalkgrad_core chalkgrad PROPERTIES INSTALL_RPATH "$ORIGIN")

install(TARGETS chalkgrad_core chalkgrad EXPORT chalkgradTargets)
install(DIRECTORY include/chalkgrad TYPE INCLUDE FILES_MATCHING PATTERN "*.h" PATTERN "*.inc")
install(EXPORT chalkgradTargets NAMESPACE chalkgrad:: DESTINATION ${package_dir})

# A static library leaves what it was built on to be linked by its users; a shared one brings it along.
set(static_dependencies "")
set(static_packages "")
get_target_property(kind chalkgrad TYPE)
if(kind STREQUAL "STATIC_LIBRARY")
  set(static_dependencies [[
find_dependency(ZLIB)
find_dependency(PNG)
find_dependency(JPEG)
find_dependency(PkgConfig)
pkg_check_modules(NETTLE REQUIRED IMPORTED_TARGET nettle)
]])
  set(static_packages zlib libpng libjpeg nettle)
endif()
configure_package_config_file(cmake/chalkgradConfig.cmake.in chalkgradConfig.cmake INSTALL_DESTINATION ${package_dir}
                              NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(chalkgradConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/chalkgradConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/chalkgradConfigVersion.cmake
        DESTINATION ${package_dir})

# The same for pkg-config: chalkgrad and chalkgrad-core.
set(pkgconfig_dir ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH pkgconfig_to_prefix ${pkgconfig_dir} ${CMAKE_INSTALL_PREFIX})
file(RELATIVE_PATH pkgconfig_to_libraries ${pkgconfig_dir} ${CMAKE_INSTALL_FULL_LIBDIR})
file(RELATIVE_PATH pkgconfig_to_headers ${pkgconfig_dir} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
function(chalkgrad_pkgconfig name description libraries)
  list(JOIN ARGN " " packages)
  configure_file(cmake/package.pc.in ${name}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()
chalkgrad_pkgconfig(chalkgrad-core "Graphs, derivatives, plans and kernels of chalkgrad" "-lchalkgrad_core -pthread")
chalkgrad_pkgconfig(chalkgrad "${PROJECT_DESCRIPTION}" -lchalkgrad chalkgrad-core ${static_packages})

install(FILES LICENSE CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

if(TARGET chalkgrad_app)
  if(BUILD_SHARED_LIBS)  # a static program has no RPATH that could be set on installing it
    file(RELATIVE_PATH to_libraries /${CMAKE_INSTALL_BINDIR} /${CMAKE_INSTALL_LIBDIR})
    set_target_properties(chalkgrad_app PROPERTIES INSTALL_RPATH "$ORIGIN/${to_libraries}")
  endif()
  install(TARGETS chalkgrad_app)
endif()
