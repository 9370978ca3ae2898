# The library in the build tree: cargo makes it, and a copy goes to lib/ under the names that an
# install gives it. So one file, memory_pool-targets.cmake, describes both, and programs of the
# build tree find the library by its soname as installed ones do.

if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux")
  message(FATAL_ERROR "memory_pool: the CMake build knows Linux only, and this is "
    "${CMAKE_SYSTEM_NAME}. `cargo build --release` makes the library on other systems.")
endif()

set(memory_pool_soname libmemory_pool.so.${memory_pool_abi_version})
set(memory_pool_shared_file libmemory_pool.so.${PROJECT_VERSION})
set(memory_pool_include_dir "${PROJECT_SOURCE_DIR}/include")
set(memory_pool_scope GLOBAL)

if(MEMORY_POOL_PREBUILT_DIR)
  set(memory_pool_library_dir "${MEMORY_POOL_PREBUILT_DIR}")
  # A library of cargo alone has no soname, and its absolute path would end up in every program.
  foreach(file IN ITEMS ${memory_pool_shared_file} ${memory_pool_soname} libmemory_pool.a)
    if(NOT EXISTS "${memory_pool_library_dir}/${file}")
      message(FATAL_ERROR "memory_pool: MEMORY_POOL_PREBUILT_DIR is ${memory_pool_library_dir}, "
        "but there is no ${file} in it. It must be lib/ of an install or of a CMake build of "
        "version ${PROJECT_VERSION}.")
    endif()
  endforeach()
  include("${CMAKE_CURRENT_LIST_DIR}/memory_pool-targets.cmake")
  return()
endif()

find_program(MEMORY_POOL_CARGO cargo HINTS ENV CARGO_HOME "$ENV{HOME}/.cargo" PATH_SUFFIXES bin
  DOC "The cargo that builds memory_pool")
if(NOT MEMORY_POOL_CARGO)
  message(FATAL_ERROR "memory_pool: no cargo here, and the library is written in Rust. Install "
    "Rust (https://rustup.rs), or give -DMEMORY_POOL_CARGO=<path of cargo>, or "
    "-DMEMORY_POOL_PREBUILT_DIR=<lib folder of an installed memory_pool ${PROJECT_VERSION}>.")
endif()
if(CMAKE_CROSSCOMPILING)
  message(FATAL_ERROR "memory_pool: this build can't tell cargo about another machine. Build the "
    "library there and give its lib folder as -DMEMORY_POOL_PREBUILT_DIR.")
endif()

# Naming the target settles where cargo puts its files: CARGO_BUILD_TARGET or a configuration file
# of the user's would move them.
execute_process(COMMAND "${MEMORY_POOL_CARGO}" -vV WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
  OUTPUT_VARIABLE cargo_version ERROR_VARIABLE cargo_error RESULT_VARIABLE cargo_result)
if(NOT cargo_result EQUAL 0 OR NOT cargo_version MATCHES "host: ([^\n]+)")
  message(FATAL_ERROR "memory_pool: ${MEMORY_POOL_CARGO} does not run: "
    "${cargo_result}\n${cargo_error}")
endif()
set(cargo_target ${CMAKE_MATCH_1})

set(memory_pool_library_dir "${PROJECT_BINARY_DIR}/lib")
file(MAKE_DIRECTORY "${memory_pool_library_dir}")
set(made "${PROJECT_BINARY_DIR}/cargo/${cargo_target}/release")
set(kept "${memory_pool_library_dir}")

# Cargo itself knows what is out of date, so it is asked in every build. The copies keep their time
# when nothing changed, so that nothing is linked anew.
add_custom_target(memory_pool_cargo ALL
  COMMAND "${CMAKE_COMMAND}" -E env MEMORY_POOL_SONAME=${memory_pool_soname}
    "${MEMORY_POOL_CARGO}" build --locked --release --lib --package memory_pool
    --target ${cargo_target} --target-dir "${PROJECT_BINARY_DIR}/cargo"
  COMMAND "${CMAKE_COMMAND}" -E copy_if_different
    "${made}/libmemory_pool.so" "${kept}/${memory_pool_shared_file}"
  COMMAND "${CMAKE_COMMAND}" -E copy_if_different
    "${made}/libmemory_pool.a" "${kept}/libmemory_pool.a"
  COMMAND "${CMAKE_COMMAND}" -E create_symlink
    ${memory_pool_shared_file} "${kept}/${memory_pool_soname}"
  COMMAND "${CMAKE_COMMAND}" -E create_symlink
    ${memory_pool_soname} "${kept}/libmemory_pool.so"
  BYPRODUCTS "${kept}/${memory_pool_shared_file}" "${kept}/libmemory_pool.a"
  WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
  COMMENT "memory_pool: cargo build --release"
  USES_TERMINAL VERBATIM)

include("${CMAKE_CURRENT_LIST_DIR}/memory_pool-targets.cmake")
add_dependencies(memory_pool::shared memory_pool_cargo)
add_dependencies(memory_pool::static memory_pool_cargo)
