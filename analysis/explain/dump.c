/* The annotated dump: every byte of every message, and of some data packets, with its field's name, what it
 * says, and the section of the RFC that has it. */
#include "write.h"

#include "dissect.h"
#include "text_layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { BYTES_A_LINE = 8 };

static void write_field(FILE *out, const struct dissect_field *f, const uint8_t *bytes)
{
    int indent = 2 * f->depth;
    char name[DISSECT_TEXT + 128];
    snprintf(name, sizeof name, "%*s%s%s%s", indent, "", f->name, f->text[0] ? ": " : "", f->text);
    if (!f->leaf || f->len == 0) {
        fprintf(out, "%c     %-*s %s%s%s\n", f->where == DISSECT_PLAIN ? '*' : ' ', 3 * BYTES_A_LINE, "",
                name, f->section ? "  " : "", f->section ? f->section : "");
        return;
    }
    for (size_t at = 0; at < f->len; at += BYTES_A_LINE) {
        fprintf(out, "%c%04zx ", f->where == DISSECT_PLAIN ? '*' : ' ', f->offset + at);
        for (size_t i = 0; i < BYTES_A_LINE; i++) {
            if (at + i < f->len)
                fprintf(out, " %02x", bytes[f->offset + at + i]);
            else if (at == 0)
                fputs("   ", out);
        }
        if (at == 0)
            fprintf(out, "  %s%s%s", name, f->section ? "  " : "", f->section ? f->section : "");
        fputc('\n', out);
    }
}

static int write_packet(FILE *out, struct dissection *d, const struct dissect_input *input)
{
    dissect(d, input);
    for (size_t i = 0; i < d->num; i++) {
        const struct dissect_field *f = &d->fields[i];
        write_field(out, f, f->where == DISSECT_PLAIN ? input->plain.data : input->packet.data);
    }
    return d->out_of_memory ? P2_ERR_NOMEM : P2_OK;
}

static int write_message(FILE *out, const struct explanation *e, const struct explain_message *m,
                         struct dissection *d, const struct explain_options *options)
{
    const struct explain_message *original = explain_original(e, m);
    struct dissect_input input = {.packet = {m->packet, m->packet_len}};
    char text[96];
    snprintf(text, sizeof text, "Frame %" PRIu64 ", %.6f s", m->frame, explain_since(e, m->at));
    fputc('\n', out);
    text_styled(out, options->colour, TEXT_BOLD, text);
    if (m != original) {
        fprintf(out, ": frame %" PRIu64 " again, byte for byte\n", original->frame);
        return P2_OK;
    }
    fputc('\n', out);
    if (original->reading == EXPLAIN_DECRYPTED)
        input.plain = (struct p2_bytes){original->plain, original->plain_len};
    return write_packet(out, d, &input);
}

static int write_sample(FILE *out, const struct explanation *e, const struct explain_sample *s,
                        struct dissection *d, const struct explain_options *options)
{
    const struct explain_sa *sa = &e->sas[s->sa];
    struct dissect_input input = {.packet = {s->packet, s->packet_len},
                                  .plain = {s->plain, s->plain_len},
                                  .esp_trailer_len = s->trailer_len,
                                  .esp_next_header = s->next_header};
    char text[160];
    if (sa->has_keys && sa->protocol == P2_PROTO_ESP) {
        input.esp_known = true;
        input.esp_iv_len = sa->keys->esp.iv_len;
        input.esp_icv_len = sa->keys->esp.icv_len;
    }
    snprintf(text, sizeof text, "Frame %" PRIu64 ", %.6f s", s->frame, explain_since(e, s->at));
    fputc('\n', out);
    text_styled(out, options->colour, TEXT_BOLD, text);
    fprintf(out, ": SPI %08" PRIx32 ", %s\n", sa->spi, s->why);
    return write_packet(out, d, &input);
}

/* In the order of the capture. */
int explain_write_dump(FILE *out, const struct explanation *e, const struct explain_options *options)
{
    struct dissection d = {0};
    size_t m = 0, s = 0;
    int r = P2_OK;
    fputc('\n', out);
    text_styled(out, options->colour, TEXT_BOLD, "Every byte");
    fputs("\nOffsets count from the IP header; those with * from the first byte that was decrypted. Of the "
          "data "
          "packets the first two\nof each SA are shown, and the first one of each trouble.\n",
          out);
    while (r == P2_OK && (m < e->num_messages || s < e->num_samples)) {
        bool message =
            s == e->num_samples || (m < e->num_messages && e->messages[m].frame <= e->samples[s].frame);
        r = message ? write_message(out, e, &e->messages[m], &d, options)
                    : write_sample(out, e, &e->samples[s], &d, options);
        m += message;
        s += !message;
    }
    dissection_cleanup(&d);
    return r;
}
