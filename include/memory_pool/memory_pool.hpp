// Every C++ header of memory_pool.

#ifndef MEMORY_POOL_MEMORY_POOL_HPP
#define MEMORY_POOL_MEMORY_POOL_HPP

#include "allocator.hpp"
#include "basic_pool.hpp"
#include "concurrent_memory_pool.hpp"
#include "error.hpp"
#include "fixed_block_memory_pool.hpp"
#include "memory_resource.hpp"
#include "memory_resource_options.hpp"
#include "no_block.hpp"
#include "node_layout.hpp"
#include "object_pool.hpp"
#include "pool_cache.hpp"
#include "pool_inline.h"
#include "pool_options.hpp"
#include "pool_set.hpp"
#include "snapshot.hpp"

#endif  // MEMORY_POOL_MEMORY_POOL_HPP
