#include "capture.h"

#include "ip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_HEADER_LEN = 24, RECORD_HEADER_LEN = 16, ETHERNET_LEN = 14, UDP_LEN = 8, LINK_ETHERNET = 1 };

void corpus_broken(const char *file, const char *what)
{
    fprintf(stderr, "%s: %s\n", file, what);
    exit(EXIT_FAILURE);
}

static uint32_t little(const uint8_t *at)
{
    return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

static uint8_t *read_file(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        corpus_broken(path, "cannot be opened (run from the root of the repository, or set P2_VECTORS)");
    if (fseek(f, 0, SEEK_END) != 0 || ftell(f) < FILE_HEADER_LEN)
        corpus_broken(path, "is no capture");
    *len = (size_t)ftell(f);
    rewind(f);
    uint8_t *bytes = malloc(*len);
    if (!bytes || fread(bytes, 1, *len, f) != *len)
        corpus_broken(path, "cannot be read");
    fclose(f);
    return bytes;
}

static void read_packet(struct corpus_frame *frame, const char *path, struct p2_bytes ethernet)
{
    struct p2_ip_view view;
    if (ethernet.len < ETHERNET_LEN + P2_IPV4_HEADER_LEN || p2_get_u16(ethernet.data + 12) != 0x0800)
        corpus_broken(path, "holds a frame that is not IPv4");
    frame->packet = (struct p2_bytes){ethernet.data + ETHERNET_LEN, ethernet.len - ETHERNET_LEN};
    if (p2_ip_parse(&view, frame->packet.data, frame->packet.len) < 0)
        corpus_broken(path, "holds an IP packet that does not parse");
    frame->source = view.source;
    frame->destination = view.destination;
    frame->esp = view.protocol == P2_IP_PROTO_ESP;
    frame->content = view.payload;
    if (frame->esp)
        return;
    if (view.protocol != P2_IP_PROTO_UDP || view.payload.len < UDP_LEN || view.destination_port != 500)
        corpus_broken(path, "holds a packet that is neither IKE nor ESP");
    frame->content = (struct p2_bytes){view.payload.data + UDP_LEN, view.payload.len - UDP_LEN};
}

static void read_records(struct capture *capture, const char *path, struct p2_bytes rest)
{
    int64_t start = -1;
    while (rest.len >= RECORD_HEADER_LEN) {
        int64_t us = (int64_t)little(rest.data) * 1000000 + little(rest.data + 4);
        uint32_t len = little(rest.data + 8);
        if (len != little(rest.data + 12) || len > rest.len - RECORD_HEADER_LEN)
            corpus_broken(path, "holds a cut frame");
        start = start < 0 ? us : start;
        struct corpus_frame *frame = &capture->frames[capture->num_frames++];
        frame->number = (unsigned)capture->num_frames;
        frame->at = (us - start) * 1000;
        read_packet(frame, path, (struct p2_bytes){rest.data + RECORD_HEADER_LEN, len});
        rest.data += RECORD_HEADER_LEN + len;
        rest.len -= RECORD_HEADER_LEN + len;
    }
    if (rest.len != 0 || capture->num_frames == 0)
        corpus_broken(path, "ends within a frame");
}

static struct corpus_frame *first_copy(struct capture *capture, const struct corpus_frame *frame)
{
    for (struct corpus_frame *f = capture->frames; f < frame; f++) {
        if (f->phase2 && f->content.len == frame->content.len &&
            memcmp(f->content.data, frame->content.data, f->content.len) == 0)
            return f;
    }
    return NULL;
}

static void read_messages(struct capture *capture, const char *path, const struct p2_isakmp_keys *keys)
{
    struct corpus_chains chains = {0};
    for (struct corpus_frame *frame = capture->frames; frame < capture->frames + capture->num_frames;
         frame++) {
        struct p2_isakmp_header header;
        if (frame->esp)
            continue;
        if (p2_isakmp_parse_header(&header, frame->content.data, frame->content.len) < 0)
            corpus_broken(path, "holds a message without an ISAKMP header");
        if (header.message_id == 0)
            continue;
        struct corpus_frame *first = first_copy(capture, frame);
        frame->phase2 = true;
        frame->copy_of = first;
        if (first)
            first->copied = true;
        else if (!corpus_message_open(&frame->message, &chains, keys, frame->content))
            corpus_broken(path, "holds a message that does not decrypt with its keys");
    }
}

void capture_read(struct capture *capture, const char *path, const struct p2_isakmp_keys *keys)
{
    size_t len;
    capture->file = read_file(path, &len);
    if (little(capture->file) != 0xa1b2c3d4 || little(capture->file + 20) != LINK_ETHERNET)
        corpus_broken(path, "is not a little-endian pcap of Ethernet with microseconds");
    capture->num_frames = 0;
    capture->frames = calloc(len / RECORD_HEADER_LEN, sizeof(*capture->frames));
    if (!capture->frames)
        corpus_broken(path, "is too big for this machine");
    read_records(capture, path, (struct p2_bytes){capture->file + FILE_HEADER_LEN, len - FILE_HEADER_LEN});
    read_messages(capture, path, keys);
}

void capture_free(struct capture *capture)
{
    for (size_t i = 0; i < capture->num_frames; i++)
        corpus_message_free(&capture->frames[i].message);
    free(capture->frames);
    free(capture->file);
}
