#include "csv.h"

#include <errno.h>
#include <string.h>

#define COLUMNS                                                                                              \
    "run, tunnel, initiator, responder, reason, message_id, outcome, pfs_group, started_ns, latency_ns, "    \
    "network_ns,"                                                                                            \
    " cpu_ns, cpu_wait_ns, retransmission_wait_ns, retransmissions, blackout_ns, packets_lost"

static const char header[] =
    "case,run,tunnel,initiator,responder,reason,message_id,outcome,pfs_group,started_ns,"
    "latency_ns,network_ns,cpu_ns,cpu_wait_ns,retransmission_wait_ns,retransmissions,"
    "blackout_ns,packets_lost\n";

void csv_write_field(FILE *out, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static int write_row(void *context, const struct store_cell *cells, size_t num_cells)
{
    FILE *out = context;
    for (size_t i = 0; i < num_cells; i++) {
        if (i > 0)
            fputc(',', out);
        csv_write_field(out, cells[i].text);
    }
    fputc('\n', out);
    return 0;
}

int csv_write(FILE *out, struct store *store, struct store_message *message)
{
    fputs(header, out);
    if (store_query(store,
                    "SELECT case_name, " COLUMNS " FROM negotiations JOIN cases USING (case_name)"
                    " ORDER BY position, run, started_ns, tunnel, negotiations.id",
                    NULL, write_row, out, message))
        return -1;
    if (ferror(out)) {
        snprintf(message->text, sizeof message->text, "cannot write the CSV file: %s", strerror(errno));
        return -1;
    }
    return 0;
}
