/* What programs that answer a line with a line share: words, hex ("-": no bytes), and the end when a request
 * makes no sense. */
#ifndef P2_TESTS_LINES_H
#define P2_TESTS_LINES_H

#include "base.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES_MAX_BYTES 65536
#define LINES_MAX_WORDS 12

struct bytes {
    uint8_t data[LINES_MAX_BYTES];
    size_t len;
};

static inline _Noreturn void lines_fail(const char *what)
{
    fprintf(stderr, "request: %s\n", what);
    exit(EXIT_FAILURE);
}

static inline unsigned lines_digit(char c)
{
    const char *digits = "0123456789abcdef", *digit = strchr(digits, tolower((unsigned char)c));
    if (!digit || c == '\0')
        lines_fail("not a hex digit");
    return (unsigned)(digit - digits);
}

static inline void lines_read(struct bytes *bytes, const char *hex)
{
    bytes->len = 0;
    if (strcmp(hex, "-") == 0)
        return;
    for (; *hex; hex += 2) {
        if (bytes->len == LINES_MAX_BYTES)
            lines_fail("too many bytes");
        bytes->data[bytes->len++] = (uint8_t)(lines_digit(hex[0]) << 4 | lines_digit(hex[1]));
    }
}

static inline void lines_print(const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        printf("%02x", data[i]);
    if (len == 0)
        printf("-");
}

/* Hands each line of stdin to `serve`, cut into words. */
static inline int lines_serve(void (*serve)(char **words, size_t num))
{
    static char line[8 * LINES_MAX_BYTES];
    while (fgets(line, sizeof(line), stdin)) {
        char *words[LINES_MAX_WORDS] = {NULL}, *rest = line;
        size_t num = 0;
        while (num < LINES_MAX_WORDS && (words[num] = strtok_r(rest, " \n", &rest)) != NULL)
            num++;
        if (num == 0)
            continue;
        serve(words, num);
        fflush(stdout);
    }
    return EXIT_SUCCESS;
}

#endif
