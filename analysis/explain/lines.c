#include "lines.h"

#include "array.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void lines_add(struct lines *lines, const char *format, ...)
{
    enum { MAX_LINE = 2048 };
    char text[MAX_LINE];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    size_t size = len < 0 ? 1 : len < MAX_LINE ? (size_t)len + 1 : MAX_LINE;
    char *copy = malloc(size);
    char **place = copy ? ARRAY_APPEND(lines->list, lines->num) : NULL;
    if (!place) {
        free(copy);
        lines->out_of_memory = true;
        return;
    }
    snprintf(copy, size, "%s", len < 0 ? "" : text);
    *place = copy;
}

void lines_cleanup(struct lines *lines)
{
    for (size_t i = 0; i < lines->num; i++)
        free(lines->list[i]);
    free(lines->list);
    *lines = (struct lines){0};
}
