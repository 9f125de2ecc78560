/* Laying out text for people: display widths, wrapped paragraphs, aligned columns. */
#ifndef P2_TEXT_LAYOUT_H
#define P2_TEXT_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Columns that UTF-8 text takes, at one a character. */
size_t text_width(const char *utf8);

/* Writes a paragraph in lines of at most `width` columns, the first one indented by `first` and the others by
 * `rest`; white space in the text is where it may break. Ends with a line break. */
void text_wrap(FILE *out, const char *text, size_t width, size_t first, size_t rest);

/* A paragraph that is put together bit by bit: write to `to`. */
struct text_piece {
    FILE *to;
    char *text;
    size_t len;
};

/* 0, or -1 with errno. */
int text_piece_open(struct text_piece *piece);
/* As text_wrap does; frees it. 0, or -1 with errno. */
int text_piece_wrap(struct text_piece *piece, FILE *out, size_t width, size_t first, size_t rest);

/* The same on a line of which `column` columns are written already. */
void text_flow(FILE *out, const char *text, size_t width, size_t column, size_t rest);

enum text_style { TEXT_PLAIN, TEXT_BOLD, TEXT_GOOD, TEXT_BAD };

/* Writes the text in a style if colour is wanted. */
void text_styled(FILE *out, bool colour, enum text_style style, const char *text);

#define TEXT_CELL 128

struct text_column {
    const char *title;
    const char *separator; /* stands before it */
    bool left;             /* aligned; numbers are right */
};

/* Rows of num_columns cells each, one after the other. */
struct text_table {
    const struct text_column *columns;
    size_t num_columns;
    char (*cells)[TEXT_CELL];
    size_t num_rows;
};

/* The columns that a table takes if only those whose bit is set in `shown` are written. */
size_t text_table_width(const struct text_table *table, unsigned shown);
void text_table_write(FILE *out, const struct text_table *table, unsigned shown, bool colour);

#endif
