/* An input that is several things one after the other: each a byte that says what it is, its length in two
 * bytes, and its own bytes. */
#ifndef P2_TESTS_FUZZ_PIECES_H
#define P2_TESTS_FUZZ_PIECES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct piece {
    uint8_t what;
    const uint8_t *data;
    size_t len;
};

/* Takes the next one off; false: there is none. The last may be shorter than it says. */
static inline bool piece_next(struct piece *piece, const uint8_t **data, size_t *size)
{
    if (*size < 4)
        return false;
    size_t len = (size_t)((*data)[1] << 8 | (*data)[2]);
    *piece = (struct piece){(*data)[0], *data + 3, len < *size - 3 ? len : *size - 3};
    *data += 3 + piece->len;
    *size -= 3 + piece->len;
    return true;
}

#endif
