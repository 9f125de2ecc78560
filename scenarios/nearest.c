#include "nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define MAX_WORD 48

static size_t min(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool differs(char a, char b)
{
    return tolower((unsigned char)a) != tolower((unsigned char)b);
}

/* Optimal string alignment distance (Boytsov, "Indexing methods for approximate dictionary searching",
 * 2011, 2.2). */
size_t nearest_distance(const char *a, const char *b)
{
    size_t rows[3][MAX_WORD + 1], len_a = strlen(a), len_b = strlen(b);
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    if (len_a > MAX_WORD || len_b > MAX_WORD)
        return MAX_WORD;
    for (size_t j = 0; j <= len_b; j++)
        last[j] = j;
    memcpy(before, last, sizeof rows[0]);
    for (size_t i = 1; i <= len_a; i++) {
        row[0] = i;
        for (size_t j = 1; j <= len_b; j++) {
            row[j] = min(min(last[j] + 1, row[j - 1] + 1), last[j - 1] + differs(a[i - 1], b[j - 1]));
            if (i > 1 && j > 1 && !differs(a[i - 1], b[j - 2]) && !differs(a[i - 2], b[j - 1]))
                row[j] = min(row[j], before[j - 2] + 1);
        }
        size_t *free_row = before;
        before = last;
        last = row;
        row = free_row;
    }
    return last[len_b];
}

const char *nearest_of(const char *word, const char *const *candidates, size_t num_candidates)
{
    const char *nearest = NULL;
    size_t best = 2 + strlen(word) / 4;
    for (size_t i = 0; i < num_candidates; i++) {
        size_t changes = nearest_distance(word, candidates[i]);
        if (changes < best && changes < strlen(candidates[i])) {
            best = changes;
            nearest = candidates[i];
        }
    }
    return nearest;
}
