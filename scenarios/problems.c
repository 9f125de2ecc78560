#include "problems.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void problems_init(struct problems *problems, struct scenario_message *message, const char *file)
{
    *problems = (struct problems){.message = message, .file = file};
    message->text[0] = '\0';
}

static const char more[] = "\n... and more of the kind";

void problems_add(struct problems *problems, int line, const char *format, ...)
{
    char text[sizeof problems->message->text];
    int used = snprintf(text, sizeof text, "%.300s:%d: ", problems->file, line);
    va_list args;
    va_start(args, format);
    vsnprintf(text + used, sizeof text - (size_t)used, format, args);
    va_end(args);
    size_t len = strlen(text);
    snprintf(text + len, sizeof text - len, "%s", problems->note);

    char *out = problems->message->text;
    size_t out_len = strlen(out);
    problems->num_errors++;
    if (out_len == 0)
        snprintf(out, sizeof problems->message->text, "%s", text);
    else if (strstr(out, more))
        return;
    else if (out_len + 1 + strlen(text) + sizeof more > sizeof problems->message->text)
        snprintf(out + out_len, sizeof problems->message->text - out_len, "%s", more);
    else
        strcat(strcat(out, "\n"), text);
}

void problems_warn(struct problems *problems, int line, const char *format, ...)
{
    struct scenario_message text;
    if (!problems->warnings)
        return;
    int used = snprintf(text.text, sizeof text.text, "%.300s:%d: warning: ", problems->file, line);
    va_list args;
    va_start(args, format);
    vsnprintf(text.text + used, sizeof text.text - (size_t)used, format, args);
    va_end(args);
    char *out = problems->warnings->text;
    size_t len = strlen(out), size = sizeof problems->warnings->text;
    if (!strstr(out, text.text) && len + 1 + strlen(text.text) < size)
        snprintf(out + len, size - len, "%s%s", len > 0 ? "\n" : "", text.text);
}

void problems_no_memory(struct problems *problems)
{
    problems_add(problems, 1, "out of memory; allowed: as much as this machine has");
}

struct problems_quote problems_quote(const char *text)
{
    struct problems_quote quote;
    size_t len = 0;
    for (; len < sizeof quote.text - 4 && text[len]; len++)
        quote.text[len] = (char)((unsigned char)text[len] < ' ' || text[len] == 127 ? '?' : text[len]);
    /* Not in the middle of a UTF-8 sequence. */
    while (text[len] && len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
        len--;
    snprintf(quote.text + len, sizeof quote.text - len, "%s", text[len] ? "..." : "");
    return quote;
}

void problems_names_add(struct problems_names *names, const char *name)
{
    const char **items = realloc(names->items, (names->num + 1) * sizeof *items);
    if (!items) {
        names->failed = true;
        return;
    }
    names->items = items;
    items[names->num++] = name;
}

void problems_names_cleanup(struct problems_names *names)
{
    free(names->items);
    *names = (struct problems_names){0};
}

#define MAX_COMPARED 64

/* Levenshtein's distance, of the first MAX_COMPARED bytes. */
static unsigned distance(const char *a, const char *b)
{
    size_t a_len = strnlen(a, MAX_COMPARED), b_len = strnlen(b, MAX_COMPARED);
    unsigned row[MAX_COMPARED + 1];
    for (unsigned j = 0; j <= b_len; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a_len; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            unsigned replaced = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            unsigned other = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = replaced < other ? replaced : other;
        }
    }
    return row[b_len];
}

/* A name that was written in part is nearer than one as long with other letters: "aes-128" means aes-128-cbc.
 */
static unsigned rank_of(const char *found, const char *name)
{
    size_t len = found ? strlen(found) : 0;
    if (!found)
        return 0;
    return len >= 3 && strncmp(found, name, len) == 0 ? 1 : distance(found, name);
}

struct ranked {
    const char *name;
    unsigned rank;
    size_t order;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* As many as fit; the rest is "...". Of a long list, only what may have been meant. */
static void join(char out[PROBLEMS_LIST], const struct ranked *ranked, size_t num)
{
    size_t len = 0, most = num > 16 ? 6 : 16;
    for (size_t i = 0; i < num; i++) {
        size_t name_len = strlen(ranked[i].name);
        if (len + 2 + name_len + 6 > PROBLEMS_LIST || i == most) {
            snprintf(out + len, PROBLEMS_LIST - len, "%s...", len > 0 ? ", " : "");
            return;
        }
        len += (size_t)snprintf(out + len, PROBLEMS_LIST - len, "%s%s", i > 0 ? ", " : "", ranked[i].name);
    }
}

void problems_list(char out[PROBLEMS_LIST], const struct problems_names *names, const char *found)
{
    snprintf(out, PROBLEMS_LIST, "nothing");
    struct ranked *ranked = names->num > 0 ? calloc(names->num, sizeof *ranked) : NULL;
    if (!ranked)
        return;
    for (size_t i = 0; i < names->num; i++)
        ranked[i] = (struct ranked){names->items[i], rank_of(found, names->items[i]), i};
    qsort(ranked, names->num, sizeof *ranked, compare_ranked);
    join(out, ranked, names->num);
    free(ranked);
}
