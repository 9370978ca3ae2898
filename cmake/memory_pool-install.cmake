# What `cmake --install` puts down. Every path in it is relative to the file that holds it, so the
# installed folder may be moved.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/memory_pool")
set(pkgconfig_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

# install(TARGETS) refuses imported libraries. Links are installed as links.
install(PROGRAMS "${memory_pool_library_dir}/${memory_pool_shared_file}"
  DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT runtime)
install(FILES "${memory_pool_library_dir}/${memory_pool_soname}"
  DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT runtime)
install(FILES "${memory_pool_library_dir}/libmemory_pool.so"
  "${memory_pool_library_dir}/libmemory_pool.a"
  DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT development)

# Where gdb looks for the script of a library in /usr, and reads it unasked; elsewhere it is there to
# be sourced. The path holds that of the library, which is known when the package is installed.
set(gdb_libdir "${CMAKE_INSTALL_LIBDIR}")
if(NOT IS_ABSOLUTE "${gdb_libdir}")
  set(gdb_libdir "\${CMAKE_INSTALL_PREFIX}/${gdb_libdir}")
endif()
install(FILES "${PROJECT_SOURCE_DIR}/gdb/memory_pool.py"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/gdb/auto-load${gdb_libdir}"
  RENAME ${memory_pool_shared_file}-gdb.py COMPONENT development)

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/memory_pool" "${PROJECT_SOURCE_DIR}/include/common"
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT development)

configure_package_config_file(
  "${CMAKE_CURRENT_LIST_DIR}/memory_pool-config.cmake.in"
  "${PROJECT_BINARY_DIR}/package/memory_pool-config.cmake"
  INSTALL_DESTINATION "${package_dir}"
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR
  NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(
  "${PROJECT_BINARY_DIR}/package/memory_pool-config-version.cmake"
  COMPATIBILITY ${memory_pool_compatibility})
install(FILES
  "${CMAKE_CURRENT_LIST_DIR}/memory_pool-targets.cmake"
  "${PROJECT_BINARY_DIR}/package/memory_pool-config.cmake"
  "${PROJECT_BINARY_DIR}/package/memory_pool-config-version.cmake"
  DESTINATION "${package_dir}" COMPONENT development)

# The .pc file climbs from its own folder to the prefix; how far depends on the library folder.
# An absolute folder does not move with the prefix, so then nothing is relative.
set(pc_libdir "${CMAKE_INSTALL_FULL_LIBDIR}")
set(pc_includedir "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
set(pc_prefix "${CMAKE_INSTALL_PREFIX}")
if(NOT IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
  file(RELATIVE_PATH climb "/${pkgconfig_dir}" "/")
  string(REGEX REPLACE "/$" "" climb "${climb}")
  set(pc_prefix "\${pcfiledir}/${climb}")
  set(pc_libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
endif()
if(NOT IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
  set(pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
configure_file("${CMAKE_CURRENT_LIST_DIR}/memory_pool.pc.in"
  "${PROJECT_BINARY_DIR}/package/memory_pool.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/package/memory_pool.pc"
  DESTINATION "${pkgconfig_dir}" COMPONENT development)
