#define _DEFAULT_SOURCE /* pcap.h wants u_char and u_int */

#include "frames.h"
#include "ip.h"
#include "link.h"
#include "reassembly.h"

#include <errno.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#define STREAM_BUFFER ((size_t)1 << 20)

/* As much of a file's name as leaves room for what is wrong with it. */
#define NAME "%.200s"

struct frames {
    FILE *stream;
    char *buffer, *name;
    pcap_t *pcap;
    int link_type;
    enum frames_result ended; /* FRAMES_NEXT: not yet */
    struct frames_counts counts;
    struct reassembly reassembly;
};

/* libpcap's own word on an empty file or a directory is hard to make sense of. */
static int refuse_nothing(FILE *stream, const char *name, char error[FRAMES_ERROR])
{
    errno = 0;
    int first = getc(stream);
    if (first != EOF) {
        (void)ungetc(first, stream);
        return 0;
    }
    snprintf(error, FRAMES_ERROR, NAME ": %s", name, ferror(stream) ? strerror(errno) : "the file is empty");
    return -1;
}

static int note_link_type(struct frames *frames, char error[FRAMES_ERROR])
{
    int dlt = pcap_datalink(frames->pcap);
    frames->link_type = link_type_of_dlt(dlt);
    if (frames->link_type >= 0)
        return 0;
    const char *type = pcap_datalink_val_to_name(dlt);
    char number[32];
    snprintf(number, sizeof number, "%d", dlt);
    snprintf(error, FRAMES_ERROR, NAME ": its link type, %.50s, is none of those that can be read: %s",
             frames->name, type ? type : number, link_type_names);
    return -1;
}

static int start(struct frames *frames, const char *name, char error[FRAMES_ERROR])
{
    char why[PCAP_ERRBUF_SIZE];
    frames->name = strdup(name);
    frames->buffer = malloc(STREAM_BUFFER); /* glibc takes no heed of the size without one */
    if (!frames->name || !frames->buffer) {
        snprintf(error, FRAMES_ERROR, NAME ": out of memory", name);
        return -1;
    }
    (void)setvbuf(frames->stream, frames->buffer, _IOFBF, STREAM_BUFFER);
    if (refuse_nothing(frames->stream, name, error) != 0)
        return -1;
    frames->pcap = pcap_fopen_offline_with_tstamp_precision(frames->stream, PCAP_TSTAMP_PRECISION_NANO, why);
    if (!frames->pcap) {
        snprintf(error, FRAMES_ERROR, NAME ": not a pcap or pcapng capture: %s", name, why);
        return -1;
    }
    return note_link_type(frames, error);
}

int frames_open_stream(struct frames **out, FILE *stream, const char *name, char error[FRAMES_ERROR])
{
    struct frames *frames = calloc(1, sizeof *frames);
    *out = NULL;
    if (!frames) {
        snprintf(error, FRAMES_ERROR, NAME ": out of memory", name);
        (void)fclose(stream);
        return -1;
    }
    frames->stream = stream;
    if (start(frames, name, error) != 0) {
        frames_close(frames);
        return -1;
    }
    *out = frames;
    return 0;
}

int frames_open(struct frames **out, const char *path, char error[FRAMES_ERROR])
{
    if (strcmp(path, "-") == 0)
        return frames_open_stream(out, stdin, "standard input", error);
    FILE *stream = fopen(path, "rb");
    if (stream)
        return frames_open_stream(out, stream, path, error);
    *out = NULL;
    snprintf(error, FRAMES_ERROR, NAME ": %s", path, strerror(errno));
    return -1;
}

void frames_close(struct frames *frames)
{
    if (!frames)
        return;
    bool by_libpcap = frames->pcap && frames->stream != stdin; /* which it leaves open */
    if (frames->pcap)
        pcap_close(frames->pcap);
    if (!by_libpcap)
        (void)fclose(frames->stream);
    reassembly_cleanup(&frames->reassembly);
    free(frames->buffer);
    free(frames->name);
    free(frames);
}

/* Any number may stand in a file. Seconds of classic pcap are 32 bits without a sign, which libpcap gives
 * one. */
static p2_time time_of(const struct pcap_pkthdr *header)
{
    int64_t seconds = header->ts.tv_sec, nanoseconds = header->ts.tv_usec;
    if (seconds < 0 && seconds >= INT32_MIN)
        seconds += INT64_C(1) << 32;
    if (seconds < 0 || nanoseconds < 0)
        return 0;
    int64_t most = INT64_MAX / P2_SECOND - 1;
    return (seconds < most ? seconds : most) * P2_SECOND + nanoseconds % P2_SECOND;
}

/* Makes `packet`, which reaches to the end of what was captured of `on_wire` bytes, what its header says.
 * False: there is no such header, or it says more than was there. */
static bool cut_to_size(struct p2_bytes *packet, size_t *cut, uint8_t family, size_t on_wire)
{
    const uint8_t *data = packet->data;
    if (packet->len == 0 || (family != 0 && data[0] >> 4 != family))
        return false;
    size_t total = p2_ip_total_len(data, packet->len);
    size_t header_len = data[0] >> 4 == 4 ? (data[0] & 15u) * 4u : P2_IPV6_HEADER_LEN;
    if (header_len < P2_IPV4_HEADER_LEN || header_len > packet->len || total < header_len || total > on_wire)
        return false;
    packet->len = packet->len < total ? packet->len : total;
    *cut = total - packet->len;
    return true;
}

/* Most packets are whole, and their headers show it at once. */
static bool looks_whole(const uint8_t *packet)
{
    if (packet[0] >> 4 == 4)
        return (p2_get_u16(packet + 6) & 0x3fff) == 0;
    uint8_t next = packet[6];
    return next != P2_IP_PROTO_HOP_BY_HOP && next != P2_IP_PROTO_ROUTING && next != P2_IP_PROTO_FRAGMENT &&
           next != P2_IP_PROTO_DESTINATION;
}

/* FRAMES_NEXT: it has become a packet. FRAMES_END: not so. */
static enum frames_result add_piece(struct frames *frames, struct frame *frame,
                                    const struct reassembly_piece *piece)
{
    switch (reassembly_add(&frames->reassembly, &frame->packet, &frame->fragments, piece, frame->at)) {
    case REASSEMBLY_DONE:
        frame->link = (struct p2_bytes){NULL, 0};
        return FRAMES_NEXT;
    case REASSEMBLY_NOMEM:
        return FRAMES_NOMEM;
    case REASSEMBLY_UNFIT:
        frames->counts.malformed_ip++;
        break;
    case REASSEMBLY_WAITS:
        break;
    }
    return FRAMES_END;
}

/* As add_piece; frame->packet is a packet or a piece of one. */
static enum frames_result sort_out(struct frames *frames, struct frame *frame)
{
    struct reassembly_piece piece;
    if (looks_whole(frame->packet.data))
        return FRAMES_NEXT;
    enum reassembly_kind kind = reassembly_look(&piece, frame->packet, frame->cut);
    if (kind == REASSEMBLY_WHOLE)
        return FRAMES_NEXT;
    if (kind == REASSEMBLY_MALFORMED) {
        frames->counts.malformed_ip++;
        return FRAMES_END;
    }
    frames->counts.fragments++;
    return add_piece(frames, frame, &piece);
}

/* As add_piece. */
static enum frames_result take(struct frames *frames, struct frame *frame, const struct pcap_pkthdr *header,
                               const uint8_t *data)
{
    struct link_payload payload;
    frames->counts.frames++;
    frames->counts.bytes += header->caplen;
    if (!link_take_off(&payload, frames->link_type, (struct p2_bytes){data, header->caplen})) {
        frames->counts.not_ip++;
        return FRAMES_END;
    }
    size_t at = payload.header_len, on_wire = header->len > header->caplen ? header->len : header->caplen;
    frame->packet = (struct p2_bytes){data + at, header->caplen - at};
    if (!cut_to_size(&frame->packet, &frame->cut, payload.family, on_wire - at)) {
        frames->counts.malformed_ip++;
        return FRAMES_END;
    }
    frame->number = frames->counts.frames;
    frame->at = time_of(header);
    frame->link = (struct p2_bytes){data, at};
    frame->fragments = 1;
    return sort_out(frames, frame);
}

static enum frames_result stop(struct frames *frames, bool broken)
{
    reassembly_end(&frames->reassembly);
    frames->ended = broken ? FRAMES_BROKEN : FRAMES_END;
    return frames->ended;
}

static enum frames_result read_on(struct frames *frames, struct frame *frame)
{
    if (frames->ended != FRAMES_NEXT)
        return frames->ended;
    for (;;) {
        struct pcap_pkthdr *header;
        const uint8_t *data;
        int r = pcap_next_ex(frames->pcap, &header, &data);
        if (r != 1)
            return stop(frames, r != PCAP_ERROR_BREAK); /* which stands for the end of a file */
        enum frames_result result = take(frames, frame, header, data);
        if (result != FRAMES_END)
            return result;
    }
}

enum frames_result frames_next(struct frames *frames, struct frame *frame, char error[FRAMES_ERROR])
{
    enum frames_result result = read_on(frames, frame);
    if (result == FRAMES_NEXT)
        frames->counts.packets++;
    else if (result == FRAMES_BROKEN)
        snprintf(error, FRAMES_ERROR, NAME ": frame %" PRIu64 " cannot be read: %s", frames->name,
                 frames->counts.frames + 1, pcap_geterr(frames->pcap));
    else if (result == FRAMES_NOMEM)
        snprintf(error, FRAMES_ERROR, NAME ": out of memory", frames->name);
    return result;
}

struct frames_counts frames_counts(const struct frames *frames)
{
    struct frames_counts counts = frames->counts;
    counts.incomplete = frames->reassembly.incomplete;
    return counts;
}

int frames_link_type(const struct frames *frames)
{
    return frames->link_type;
}
