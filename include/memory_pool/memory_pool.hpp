// Every C++ header of memory_pool.

#ifndef MEMORY_POOL_MEMORY_POOL_HPP
#define MEMORY_POOL_MEMORY_POOL_HPP

#include "error.hpp"
#include "fixed_block_memory_pool.hpp"

#endif  // MEMORY_POOL_MEMORY_POOL_HPP
