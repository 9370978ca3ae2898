/* What a thread sanitizer of LLVM calls since its release 15 where it sees memory copied, for the
   runtimes that know the functions only by their plain names, and watch them there. */

#include <string.h>

__attribute__((weak)) void *__tsan_memcpy(void *to, const void *from, size_t bytes);
__attribute__((weak)) void *__tsan_memmove(void *to, const void *from, size_t bytes);
__attribute__((weak)) void *__tsan_memset(void *to, int byte, size_t bytes);

void *__tsan_memcpy(void *to, const void *from, size_t bytes) { return memcpy(to, from, bytes); }
void *__tsan_memmove(void *to, const void *from, size_t bytes) { return memmove(to, from, bytes); }
void *__tsan_memset(void *to, int byte, size_t bytes) { return memset(to, byte, bytes); }
