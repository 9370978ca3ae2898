# The targets that users link with, the same in the build tree and in an installed package. Who
# includes this sets memory_pool_include_dir, memory_pool_library_dir, memory_pool_shared_file,
# memory_pool_soname and memory_pool_scope (GLOBAL or nothing).
#
#     memory_pool::shared, memory_pool::static   the library in C
#     memory_pool::memory_pool                   one of them, by BUILD_SHARED_LIBS
#     memory_pool::cpp                           that one, and the C++20 headers
#     memory_pool_lib, common                    the same under short names; an older `common` stays

# The file of the build tree is made later; that of a package may lie in a package of its own.
function(memory_pool_add_library linkage kind file)
  if(TARGET memory_pool::${linkage})
    return()
  endif()
  if(NOT TARGET memory_pool_cargo AND NOT EXISTS "${memory_pool_library_dir}/${file}")
    return()
  endif()
  add_library(memory_pool::${linkage} ${kind} IMPORTED ${memory_pool_scope})
  set_target_properties(memory_pool::${linkage} PROPERTIES
    IMPORTED_LOCATION "${memory_pool_library_dir}/${file}"
    INTERFACE_INCLUDE_DIRECTORIES "${memory_pool_include_dir}")
endfunction()

memory_pool_add_library(shared SHARED ${memory_pool_shared_file})
if(TARGET memory_pool::shared)
  # CMake orders run-time search paths by the name that programs record, and can't read it itself.
  set_target_properties(memory_pool::shared PROPERTIES
    IMPORTED_SONAME ${memory_pool_soname}
    INTERFACE_COMPILE_DEFINITIONS MEMORY_POOL_SHARED)
endif()

memory_pool_add_library(static STATIC libmemory_pool.a)
if(TARGET memory_pool::static)
  # The words of Libs.private in memory_pool.pc.in. Flags, because Threads::Threads would be
  # unknown outside the folder that found it. Not libgcc_s, which the compiler adds where it can:
  # named here, it would rule out programs linked with -static.
  set_target_properties(memory_pool::static PROPERTIES
    INTERFACE_LINK_LIBRARIES "-lpthread;-ldl;-lm")
endif()

if(NOT TARGET memory_pool::memory_pool)
  if(TARGET memory_pool::shared AND (BUILD_SHARED_LIBS OR NOT TARGET memory_pool::static))
    add_library(memory_pool::memory_pool ALIAS memory_pool::shared)
  elseif(TARGET memory_pool::static)
    add_library(memory_pool::memory_pool ALIAS memory_pool::static)
  endif()
endif()

if(NOT TARGET memory_pool::cpp)
  add_library(memory_pool::cpp INTERFACE IMPORTED ${memory_pool_scope})
  set_target_properties(memory_pool::cpp PROPERTIES
    INTERFACE_COMPILE_FEATURES cxx_std_20
    INTERFACE_LINK_LIBRARIES memory_pool::memory_pool)
endif()

# Imported, so that a project may export libraries of its own that link with them.
if(NOT TARGET common)
  add_library(common INTERFACE IMPORTED ${memory_pool_scope})
  set_target_properties(common PROPERTIES
    INTERFACE_COMPILE_FEATURES cxx_std_20
    INTERFACE_INCLUDE_DIRECTORIES "${memory_pool_include_dir}")
endif()
if(NOT TARGET memory_pool_lib)
  add_library(memory_pool_lib INTERFACE IMPORTED ${memory_pool_scope})
  set_target_properties(memory_pool_lib PROPERTIES
    INTERFACE_LINK_LIBRARIES "memory_pool::cpp;common")
endif()
