/* A name of as many characters as a block has bytes: the zero at its end is one too far. */

#include <string.h>

#include "memory_pool/pool.h"

static char *copy_of(pool_t *names, const char *text) {
  char *name = pool_allocate(names); /* TAKEN */
  return name == NULL ? NULL : strcpy(name, text); /* STOPPED */
}

int main(void) {
  pool_t *names = pool_create(16, 100);
  char *name = copy_of(names, "sixteen letters!");
  if (name == NULL) return 1;
  pool_deallocate(names, name); /* GIVEN */
  return pool_destroy(names);
}
