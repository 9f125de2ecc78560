#include "text_layout.h"

#include <stdlib.h>
#include <string.h>

static size_t width_of(const char *utf8, size_t len)
{
    size_t width = 0;
    for (size_t i = 0; i < len; i++)
        width += ((unsigned char)utf8[i] & 0xc0) != 0x80;
    return width;
}

size_t text_width(const char *utf8)
{
    return width_of(utf8, strlen(utf8));
}

static void pad(FILE *out, size_t num)
{
    while (num-- > 0)
        fputc(' ', out);
}

void text_wrap(FILE *out, const char *text, size_t width, size_t first, size_t rest)
{
    pad(out, first);
    text_flow(out, text, width, first, rest);
}

void text_flow(FILE *out, const char *text, size_t width, size_t column, size_t rest)
{
    static const char blanks[] = " \t\r\n";
    bool at_start = true;
    for (text += strspn(text, blanks); *text; text += strspn(text, blanks)) {
        size_t len = strcspn(text, blanks), word_width = width_of(text, len);
        if (!at_start && column + 1 + word_width > width) {
            fputc('\n', out);
            pad(out, rest);
            column = rest;
            at_start = true;
        }
        if (!at_start)
            fputc(' ', out);
        (void)fwrite(text, 1, len, out);
        column += word_width + !at_start;
        at_start = false;
        text += len;
    }
    fputc('\n', out);
}

int text_piece_open(struct text_piece *piece)
{
    *piece = (struct text_piece){0};
    piece->to = open_memstream(&piece->text, &piece->len);
    return piece->to ? 0 : -1;
}

int text_piece_wrap(struct text_piece *piece, FILE *out, size_t width, size_t first, size_t rest)
{
    int failed = ferror(piece->to) | fclose(piece->to);
    if (!failed)
        text_wrap(out, piece->text, width, first, rest);
    free(piece->text);
    return failed ? -1 : 0;
}

void text_styled(FILE *out, bool colour, enum text_style style, const char *text)
{
    static const char *const codes[] = {
        [TEXT_PLAIN] = "", [TEXT_BOLD] = "\033[1m", [TEXT_GOOD] = "\033[32m", [TEXT_BAD] = "\033[1;31m"};
    bool styled = colour && style != TEXT_PLAIN;
    fprintf(out, "%s%s%s", styled ? codes[style] : "", text, styled ? "\033[0m" : "");
}

static const char *cell_at(const struct text_table *table, size_t row, size_t column)
{
    return table->cells[row * table->num_columns + column];
}

static size_t column_width(const struct text_table *table, size_t column)
{
    size_t width = text_width(table->columns[column].title);
    for (size_t row = 0; row < table->num_rows; row++) {
        size_t cell = text_width(cell_at(table, row, column));
        width = cell > width ? cell : width;
    }
    return width;
}

size_t text_table_width(const struct text_table *table, unsigned shown)
{
    size_t width = 0;
    for (size_t i = 0; i < table->num_columns; i++)
        if (shown >> i & 1)
            width += (width ? text_width(table->columns[i].separator) : 0) + column_width(table, i);
    return width;
}

/* The last cell of a line is not filled up, so that no line ends in blanks. */
static void write_cell(FILE *out, const char *text, size_t width, bool left, bool last)
{
    size_t fill = width - text_width(text);
    if (!left)
        pad(out, fill);
    fputs(text, out);
    if (left && !last)
        pad(out, fill);
}

static void write_row(FILE *out, const struct text_table *table, unsigned shown, const char *const *cells)
{
    bool first = true;
    for (size_t i = 0; i < table->num_columns; i++) {
        if (!(shown >> i & 1))
            continue;
        if (!first)
            fputs(table->columns[i].separator, out);
        write_cell(out, cells[i], column_width(table, i), table->columns[i].left, !(shown >> i >> 1));
        first = false;
    }
}

void text_table_write(FILE *out, const struct text_table *table, unsigned shown, bool colour)
{
    const char *cells[sizeof shown * 8];
    for (size_t i = 0; i < table->num_columns; i++)
        cells[i] = table->columns[i].title;
    fputs(colour ? "\033[1m" : "", out);
    write_row(out, table, shown, cells);
    fputs(colour ? "\033[0m\n" : "\n", out);
    for (size_t row = 0; row < table->num_rows; row++) {
        for (size_t i = 0; i < table->num_columns; i++)
            cells[i] = cell_at(table, row, i);
        write_row(out, table, shown, cells);
        fputc('\n', out);
    }
}
