/* The forms of an explanation; each only reads the model. */
#ifndef P2_EXPLAIN_WRITE_H
#define P2_EXPLAIN_WRITE_H

#include "explanation.h"

#include <stdio.h>

struct explain_options {
    const char *file; /* what the capture is called */
    bool verbose;     /* every byte's name */
    bool colour;
};

/* P2_OK or P2_ERR_NOMEM; whether the stream took it is the caller's to see. */
int explain_write_text(FILE *out, const struct explanation *e, const struct explain_options *options);
int explain_write_json(FILE *out, const struct explanation *e, const struct explain_options *options);

/* Parts of the text form. */
int explain_write_ladder(FILE *out, const struct explanation *e, size_t pair,
                         const struct explain_options *options);
int explain_write_dump(FILE *out, const struct explanation *e, const struct explain_options *options);

#endif
