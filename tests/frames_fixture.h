/* Captures made by hand, byte by byte, and what comes out of them. */
#ifndef P2_TESTS_FRAMES_FIXTURE_H
#define P2_TESTS_FRAMES_FIXTURE_H

#include "check.h"
#include "frames.h"
#include "ip.h"

#define MAX_FILE    (256 * 1024)
#define MAX_PACKETS 200
#define MAX_KEPT    (128 * 1024)

#define V4_PACKET "45b8001c 12344000 40110000 0a010009 0a020007 01f41194 00080000"
#define V6_PAIR   "20010db8 00000000 00000000 00000001 20010db8 00000000 00000000 00000002"
#define V6_PACKET "60000000 00081140" V6_PAIR "01f41194 00080000"
#define MACS      "020000000001 020000000002"

/* A capture file that grows. */
struct file {
    bool big_endian;
    size_t len;
    uint8_t bytes[MAX_FILE];
};

/* What came out of it. */
struct seen {
    enum frames_result end;
    char error[FRAMES_ERROR];
    struct frames_counts counts;
    int link_type;
    size_t num, used;
    struct frame frames[MAX_PACKETS]; /* they point to the bytes below */
    uint8_t bytes[MAX_KEPT];
};

/* Too large for the stack. */
static struct file file;
static struct seen seen;

static inline void put(const void *bytes, size_t len)
{
    if (len > MAX_FILE - file.len)
        abort();
    memcpy(file.bytes + file.len, bytes, len);
    file.len += len;
}

static inline void put_number(uint64_t value, unsigned len)
{
    for (unsigned i = 0; i < len; i++) {
        uint8_t byte = (uint8_t)(value >> 8 * (file.big_endian ? len - 1 - i : i));
        put(&byte, 1);
    }
}

static inline void begin_classic(uint32_t magic, bool big_endian, uint32_t link_type, uint32_t snap_len)
{
    file.len = 0;
    file.big_endian = big_endian;
    put_number(magic, 4);
    put_number(2, 2);
    put_number(4, 2);
    put_number(0, 4);
    put_number(0, 4);
    put_number(snap_len, 4);
    put_number(link_type, 4);
}

static inline void begin(uint32_t link_type)
{
    begin_classic(0xa1b2c3d4, false, link_type, 262144);
}

static inline void put_record(uint32_t seconds, uint32_t fraction, const uint8_t *bytes, size_t len,
                              size_t on_wire)
{
    put_number(seconds, 4);
    put_number(fraction, 4);
    put_number(len, 4);
    put_number(on_wire, 4);
    put(bytes, len);
}

static inline void put_frame(const char *hex)
{
    uint8_t bytes[512];
    size_t len = check_unhex(hex, bytes, sizeof bytes);
    put_record(1, 0, bytes, len, len);
}

static inline void keep(const struct frame *frame)
{
    size_t len = frame->link.len + frame->packet.len;
    if (seen.num == MAX_PACKETS || len > MAX_KEPT - seen.used)
        abort();
    struct frame *copy = &seen.frames[seen.num++];
    uint8_t *at = seen.bytes + seen.used;
    *copy = *frame;
    if (frame->link.len > 0)
        memcpy(at, frame->link.data, frame->link.len);
    memcpy(at + frame->link.len, frame->packet.data, frame->packet.len);
    copy->link.data = at;
    copy->packet.data = at + frame->link.len;
    seen.used += len;
}

static inline void read_on(struct frames *frames)
{
    struct frame frame;
    seen.num = seen.used = 0;
    seen.error[0] = '\0';
    seen.link_type = frames_link_type(frames);
    while ((seen.end = frames_next(frames, &frame, seen.error)) == FRAMES_NEXT)
        keep(&frame);
    seen.counts = frames_counts(frames);
    CU_ASSERT_EQUAL(seen.counts.packets, seen.num);
    CU_ASSERT_EQUAL(frames_next(frames, &frame, seen.error), seen.end); /* nothing comes after it */
    frames_close(frames);
}

static inline int open_file(struct frames **frames)
{
    FILE *stream = file.len ? fmemopen(file.bytes, file.len, "rb") : tmpfile();
    if (!stream)
        abort();
    return frames_open_stream(frames, stream, "x.pcap", seen.error);
}

static inline void read_file(void)
{
    struct frames *frames;
    CU_ASSERT_EQUAL_FATAL(open_file(&frames), 0);
    read_on(frames);
}

static inline uint8_t data_byte(uint32_t id, size_t at)
{
    return (uint8_t)(at * 7 + at / 256 * 31 + id);
}

static inline void put_piece(uint32_t seconds, uint8_t *packet, size_t header_len, uint32_t id, size_t offset,
                             size_t len)
{
    for (size_t i = 0; i < len; i++)
        packet[header_len + i] = data_byte(id, offset + i);
    put_record(seconds, 0, packet, header_len + len, header_len + len);
}

/* RFC 791: bytes offset to offset + len of a datagram; offset in bytes. */
static inline void put_v4(uint32_t seconds, uint32_t id, size_t offset, size_t len, bool more)
{
    static uint8_t packet[70000];
    struct p2_ip_header header = {.source = p2_address_v4(0x0a000001),
                                  .destination = p2_address_v4(0x0a000002),
                                  .ttl = 64,
                                  .protocol = P2_IP_PROTO_ESP,
                                  .identification = (uint16_t)id,
                                  .payload_len = len};
    p2_ip_build(packet, &header);
    p2_put_u16(packet + 6, (uint16_t)(offset / 8 | (more ? 0x2000 : 0)));
    p2_ip_set_payload_len(packet, 20, len); /* for the checksum */
    put_piece(seconds, packet, 20, id, offset, len);
}

/* RFC 8200 section 4.5, with hop-by-hop options in front of the fragment header. */
static inline void put_v6(uint32_t seconds, uint32_t id, size_t offset, size_t len, bool more)
{
    static uint8_t packet[70000];
    struct p2_ip_header header = {.ttl = 64, .protocol = P2_IP_PROTO_HOP_BY_HOP, .payload_len = 16 + len};
    CU_ASSERT_TRUE(p2_address_parse(&header.source, "2001:db8::1") &&
                   p2_address_parse(&header.destination, "2001:db8::2"));
    p2_ip_build(packet, &header);
    check_unhex("2c00 0104 00000000 3200 0000", packet + 40, 12);
    p2_put_u16(packet + 50, (uint16_t)(offset | more));
    p2_put_u32(packet + 52, id);
    put_piece(seconds, packet, 56, id, offset, len);
}

#endif
