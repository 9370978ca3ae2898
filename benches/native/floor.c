/* Two exported functions that do nothing: what a call across a shared library's border costs. */

void *floor_allocate(void *pool) { return pool; }

int floor_deallocate(void *pool, void *block) {
  (void)pool;
  (void)block;
  return 0;
}
