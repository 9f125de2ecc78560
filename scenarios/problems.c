#include "problems.h"

#include "nearest.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void problems_init(struct problems *problems, struct scenario_message *message, const char *file)
{
    *problems = (struct problems){.message = message, .file = file, .scenario = file};
    message->text[0] = '\0';
}

void problems_one_line(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 127)
            *text = '?';
    }
}

static char *format_text(const char *file, int line, size_t *behind, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int start = snprintf(NULL, 0, "%s:%d: ", file, line), rest = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = start >= 0 && rest >= 0 ? malloc((size_t)start + (size_t)rest + 1) : NULL;
    if (text) {
        *behind = (size_t)start;
        snprintf(text, (size_t)start + 1, "%s:%d: ", file, line);
        problems_one_line(text);
        vsnprintf(text + start, (size_t)rest + 1, format, args);
    }
    return text;
}

static bool is_told(const struct problems *problems, const char *text)
{
    for (size_t i = 0; i < problems->num_kept; i++) {
        if (problems->kept[i].text && strcmp(problems->kept[i].text, text) == 0)
            return true;
    }
    return false;
}

void problems_count(struct problems *problems)
{
    problems->num_errors++;
    problems->num_counted += problems_is_full(problems);
}

void problems_add(struct problems *problems, int line, const char *format, ...)
{
    problems_count(problems);
    if (problems_is_full(problems))
        return;
    va_list args;
    size_t start = 0;
    va_start(args, format);
    char *text = format_text(problems->file, line, &start, format, args);
    va_end(args);
    /* What is said of an element as a whole may follow from an attribute that the schema does not allow. */
    bool follows = text && !strstr(text + start, "=\"") && problems_holds(problems, line, "<");
    if (text && (follows || is_told(problems, text))) {
        free(text);
        return;
    }
    struct problem *problem = &problems->kept[problems->num_kept];
    *problem = (struct problem){.text = text,
                                .start = start,
                                .line = line,
                                .elsewhere = problems->file != problems->scenario,
                                .order = problems->num_kept++};
    snprintf(problem->note, sizeof problem->note, "%s", problems->note);
}

bool problems_is_full(const struct problems *problems)
{
    return problems->num_kept == PROBLEMS_KEPT;
}

bool problems_holds(const struct problems *problems, int line, const char *start)
{
    for (size_t i = 0; i < problems->num_of_schema; i++) {
        const struct problem *problem = &problems->kept[i];
        if (problem->text && problem->line == line &&
            strncmp(problem->text + problem->start, start, strlen(start)) == 0)
            return true;
    }
    return false;
}

void problems_without_case(struct problems *problems, const struct problems *plain)
{
    for (size_t i = 0; i < problems->num_kept; i++) {
        struct problem *problem = &problems->kept[i];
        if (problem->text && is_told(plain, problem->text))
            problem->note[0] = '\0';
    }
}

void problems_cleanup(struct problems *problems)
{
    for (size_t i = 0; i < problems->num_kept; i++)
        free(problems->kept[i].text);
    problems->num_kept = 0;
}

static int compare_problems(const void *a, const void *b)
{
    const struct problem *x = a, *y = b;
    if (x->elsewhere != y->elsewhere)
        return x->elsewhere ? 1 : -1;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

void problems_finish(struct problems *problems)
{
    char *out = problems->message->text;
    const size_t size = sizeof problems->message->text, last = 64; /* room for how many more there are */
    size_t len = 0, more = problems->num_counted;
    qsort(problems->kept, problems->num_kept, sizeof problems->kept[0], compare_problems);
    for (size_t i = 0; i < problems->num_kept; i++) {
        const struct problem *problem = &problems->kept[i];
        const char *text =
            problem->text ? problem->text : "out of memory; allowed: as much as this machine has";
        if (len + strlen(text) + strlen(problem->note) + last < size)
            len +=
                (size_t)snprintf(out + len, size - len, "%s%s%s", len > 0 ? "\n" : "", text, problem->note);
        else
            more++;
    }
    if (more > 0)
        snprintf(out + len, size - len, "%s... and %zu more", len > 0 ? "\n" : "", more);
    problems_cleanup(problems);
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
    problems->is_out_of_memory = true;
    problems_add(problems, 1, "out of memory; allowed: as much as this machine has");
}

/* U+0080 to U+009F are control characters; U+200E, U+200F, U+2028 to U+202E and U+2066 to U+2069 break lines
 * or turn the direction of writing. Returns how many bytes it is of such a one at most, 0: another. */
static size_t disturbs(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f)
        return 2;
    if (c[0] != 0xe2 || (c[1] != 0x80 && c[1] != 0x81))
        return 0;
    bool turns = c[1] == 0x80 ? c[2] == 0x8e || c[2] == 0x8f || (c[2] >= 0xa8 && c[2] <= 0xae)
                              : c[2] >= 0xa6 && c[2] <= 0xa9;
    return turns ? 3 : 0;
}

struct problems_quote problems_quote(const char *text)
{
    struct problems_quote quote;
    size_t len = 0;
    while (len < sizeof quote.text - 4 && text[len]) {
        size_t skip = disturbs(text + len);
        if (skip > sizeof quote.text - 4 - len)
            break;
        for (size_t i = 0; i < skip; i++)
            quote.text[len++] = '?';
        if (skip > 0)
            continue;
        quote.text[len] = (char)(strchr("\t\r\n", text[len])                          ? ' '
                                 : (unsigned char)text[len] < ' ' || text[len] == 127 ? '?'
                                                                                      : text[len]);
        len++;
    }
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

/* A name that was written in part is nearer than one as long with other letters: "aes-128" means aes-128-cbc.
 */
static size_t rank_of(const char *found, const char *name)
{
    size_t len = found ? strlen(found) : 0;
    if (!found)
        return 0;
    return len >= 3 && strncmp(found, name, len) == 0 ? 1 : nearest_distance(found, name);
}

struct ranked {
    const char *name;
    size_t rank;
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
static size_t join(char *out, size_t size, const struct ranked *ranked, size_t num)
{
    size_t len = 0, most = num > 16 ? 6 : 16;
    for (size_t i = 0; i < num; i++) {
        size_t name_len = strlen(ranked[i].name);
        if (len + 2 + name_len + 6 > size || i == most)
            return len + (size_t)snprintf(out + len, size - len, "%s...", len > 0 ? ", " : "");
        len += (size_t)snprintf(out + len, size - len, "%s%s", i > 0 ? ", " : "", ranked[i].name);
    }
    return len;
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
    const char *meant = found ? nearest_of(found, &ranked[0].name, 1) : NULL;
    size_t reserved = meant ? strlen(meant) + sizeof "; did you mean \"\"?" : 0;
    if (reserved + 64 > PROBLEMS_LIST)
        meant = NULL;
    size_t len = join(out, PROBLEMS_LIST - (meant ? reserved : 0), ranked, names->num);
    if (meant)
        snprintf(out + len, PROBLEMS_LIST - len, "; did you mean \"%s\"?", meant);
    free(ranked);
}
