/* What somebody may have meant. */
#ifndef P2_SCENARIO_NEAREST_H
#define P2_SCENARIO_NEAREST_H

#include <stddef.h>

/* How many letters are changed, added, left out or swapped with the next one between two words, in upper or
 * lower case; much if one is long. */
size_t nearest_distance(const char *a, const char *b);
/* The candidate with the fewest changed, added, left-out or swapped letters, if they are few for the length
 * of the word; NULL: none is near. */
const char *nearest_of(const char *word, const char *const *candidates, size_t num_candidates);

#endif
