/* What somebody may have meant. */
#ifndef P2_NEAREST_H
#define P2_NEAREST_H

#include <stddef.h>

/* The candidate with the fewest changed, added, left-out or swapped letters, if they are few for the length
 * of the word; NULL: none is near. */
const char *nearest_of(const char *word, const char *const *candidates, size_t num_candidates);

#endif
