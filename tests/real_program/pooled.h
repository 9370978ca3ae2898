/* malloc and its kin on pools, for a program that is compiled with `-include` of this file. */

#ifndef TESTS_REAL_PROGRAM_POOLED_H
#define TESTS_REAL_PROGRAM_POOLED_H

#include <stdlib.h>

void *pooled_malloc(size_t bytes);
void *pooled_calloc(size_t count, size_t bytes);
void *pooled_realloc(void *memory, size_t bytes);
void pooled_free(void *memory);

#define malloc pooled_malloc
#define calloc pooled_calloc
#define realloc pooled_realloc
#define free pooled_free

#endif
