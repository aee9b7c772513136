/* tests/unit/faults.h - tests of what should go wrong.
 *
 * faults_each() runs a function again and again: first with its 1st allocation failing, then with its 2nd, and
 * so on, until a run gets through without meeting the failure. After each run the count of live allocations of
 * this thread must be what it was before. The function makes and gives back all it needs in each run; it
 * answers 0 or a negative errno, and the last run, in which nothing failed, must answer 0.
 *
 * faults_dies() runs a function in a child process, which must end by abort() and say `message`.
 *
 * Both fail the running cmocka test.
 */
#ifndef WEFT_TESTS_FAULTS_H
#define WEFT_TESTS_FAULTS_H

/* Returns how many runs met the failure. */
unsigned faults_each(int (*run)(void *context), void *context);

void faults_dies(void (*run)(void *context), void *context, const char *message);

#endif
