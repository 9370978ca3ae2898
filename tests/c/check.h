/* The smallest test harness: CHECK says where and what failed, and the program goes on. */

#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <stdio.h>

static int check_failures = 0;
static int check_count = 0;

#define CHECK(condition)                                                    \
  do {                                                                      \
    ++check_count;                                                          \
    if (!(condition)) {                                                     \
      ++check_failures;                                                     \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
    }                                                                       \
  } while (0)

/* For the end of main: nothing checked is a failure too. */
#define CHECK_RESULT() (check_failures == 0 && check_count > 0 ? 0 : 1)

#endif
