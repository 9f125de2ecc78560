/* Arrays that grow. */
#ifndef P2_SCENARIO_ARRAY_H
#define P2_SCENARIO_ARRAY_H

#include <stddef.h>

/* A new zeroed entry at the end of an array that only this grows, by doubling; NULL: out of memory, and the
 * array is as it was. array: a pointer to the pointer to its first entry, which is NULL as long as num is 0.
 */
void *array_append(void *array, size_t *num, size_t size);
#define ARRAY_APPEND(array, num) array_append(&(array), &(num), sizeof *(array))

#endif
