/* Fragments of IPv4 and IPv6 in captures made by hand. */
#include "frames_fixture.h"

static void check_data(const struct frame *frame, size_t header_len, uint32_t id, size_t len)
{
    bool right = frame->packet.len == header_len + len;
    for (size_t i = 0; right && i < len; i++)
        right = frame->packet.data[header_len + i] == data_byte(id, i);
    CU_ASSERT_TRUE(right);
    CU_ASSERT_EQUAL(frame->link.len, 0);
    CU_ASSERT_EQUAL(frame->cut, 0);
}

/* As the packet was before it was fragmented. */
static void check_v4(const struct frame *frame, uint32_t id, size_t len)
{
    uint8_t expected[20];
    struct p2_ip_header header = {.source = p2_address_v4(0x0a000001),
                                  .destination = p2_address_v4(0x0a000002),
                                  .ttl = 64,
                                  .protocol = P2_IP_PROTO_ESP,
                                  .identification = (uint16_t)id,
                                  .payload_len = len};
    p2_ip_build(expected, &header);
    check_data(frame, 20, id, len);
    CU_ASSERT_EQUAL(memcmp(frame->packet.data, expected, 20), 0);
}

static void check_v6(const struct frame *frame, uint32_t id, size_t len)
{
    check_data(frame, 48, id, len);
    CU_ASSERT_EQUAL(p2_get_u16(frame->packet.data + 4), 8 + len);
    CHECK_HEX(frame->packet.data + 40, 8, "3200 0104 00000000");
}

static void check_counts(uint64_t packets, uint64_t fragments, uint64_t incomplete, uint64_t malformed)
{
    read_file();
    CU_ASSERT_EQUAL(seen.end, FRAMES_END);
    CU_ASSERT_EQUAL_FATAL(seen.num, packets);
    CU_ASSERT_EQUAL(seen.counts.fragments, fragments);
    CU_ASSERT_EQUAL(seen.counts.incomplete, incomplete);
    CU_ASSERT_EQUAL(seen.counts.malformed_ip, malformed);
}

/* Three pieces in all orders, of both versions. */
static void puts_fragments_together_in_any_order(void)
{
    static const unsigned orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    static const size_t offsets[] = {0, 1480, 2960, 4001};
    for (int i = 0; i < 12; i++) {
        begin(101);
        for (unsigned n = 0; n < 3; n++) {
            unsigned piece = orders[i / 2][n];
            (i % 2 ? put_v6 : put_v4)(n, 77, offsets[piece], offsets[piece + 1] - offsets[piece], piece < 2);
        }
        put_frame(V4_PACKET);
        check_counts(2, 3, 0, 0);
        (i % 2 ? check_v6 : check_v4)(&seen.frames[0], 77, 4001);
        CU_ASSERT_EQUAL(seen.frames[0].number, 3);
        CU_ASSERT_EQUAL(seen.frames[0].at, 2 * P2_SECOND);
        CU_ASSERT_EQUAL(seen.frames[0].fragments, 3);
        CU_ASSERT_EQUAL(seen.frames[1].fragments, 1);
    }
}

/* Of two datagrams at a time that differ in one part of the key. */
static void keeps_interleaved_datagrams_apart(void)
{
    begin(101);
    put_v4(1, 1, 0, 1480, true);
    put_v6(1, 1, 0, 1480, true);
    put_v4(1, 2, 0, 800, true);
    put_v6(1, 0x10001, 0, 800, true);                  /* all 32 bits count */
    put_v4(1, 1, 0, 1480, true);                       /* a duplicate */
    file.bytes[file.len - 1500 + 9] = P2_IP_PROTO_UDP; /* made another protocol's */
    put_v4(1, 1, 0, 1480, true);
    file.bytes[file.len - 1500 + 15] = 9; /* another source's */
    put_v4(1, 2, 800, 10, false);
    put_v6(1, 0x10001, 800, 10, false);
    put_v4(1, 1, 1480, 10, false);
    put_v6(1, 1, 1480, 10, false);
    check_counts(4, 10, 2, 0);
    check_v4(&seen.frames[0], 2, 810);
    check_v6(&seen.frames[1], 0x10001, 810);
    check_v4(&seen.frames[2], 1, 1490);
    check_v6(&seen.frames[3], 1, 1490);
}

static void ignores_exact_duplicates(void)
{
    begin(101);
    put_v4(1, 5, 0, 1480, true);
    put_v4(1, 5, 0, 1480, true);
    put_v4(1, 5, 2960, 333, false);
    put_v4(1, 5, 2960, 333, false);
    put_v4(1, 5, 0, 1480, true);
    put_v4(1, 5, 1480, 1480, true);
    check_counts(1, 6, 0, 0);
    check_v4(&seen.frames[0], 5, 3293);
    CU_ASSERT_EQUAL(seen.frames[0].fragments, 3);
}

/* RFC 5722: with all their pieces, those that are still to come included. */
static void drops_datagrams_whose_pieces_contradict(void)
{
    static const struct {
        size_t offset, len;
        bool more;
    } bad[] = {
        {1800, 200, true},  /* the last one, but more is to follow */
        {0, 800, true},     /* the same bytes, but cut otherwise: begins alike, */
        {680, 800, true},   /* ends alike, */
        {8, 8, true},       /* in between, */
        {1472, 16, true},   /* across the end, */
        {1480, 520, true},  /* it was to end there */
        {1480, 512, false}, /* ends earlier, */
        {2000, 8, false},   /* later, */
        {2000, 8, true},    /* and goes on behind the end */
    };
    for (size_t i = 0; i < 2 * sizeof bad / sizeof bad[0]; i++) {
        void (*put_any)(uint32_t, uint32_t, size_t, size_t, bool) = i % 2 ? put_v6 : put_v4;
        begin(101);
        put_any(1, 5, 0, 1480, true);
        put_any(1, 5, 1800, 200, false);
        put_any(1, 5, bad[i / 2].offset, bad[i / 2].len, bad[i / 2].more);
        put_any(1, 5, 1480, 320, true);
        put_any(1, 6, 0, 8, true);
        put_any(1, 6, 8, 8, false);
        check_counts(1, 6, 0, 1);
        (i % 2 ? check_v6 : check_v4)(&seen.frames[0], 6, 16);
    }
    begin(101);
    put_v4(1, 5, 0, 1480, true);
    put_v4(1, 5, 0, 1480, true);
    file.bytes[file.len - 1]++; /* the same place, other bytes */
    put_v4(1, 5, 1480, 8, false);
    check_counts(0, 3, 0, 1);
}

/* The same before it is known where the datagram ends. */
static void drops_contradictions_before_the_end_is_known(void)
{
    static const struct {
        size_t offset, len;
        bool more;
    } bad[] = {
        {0, 16, true},  /* two pieces in one */
        {16, 4, false}, /* ends before what there is of it */
        {80, 8, false}, /* a piece that more was to follow */
        {80, 16, true}, /* that and the next bytes */
        {72, 16, true}, /* that and those before it */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        begin(101);
        put_v4(1, 5, 0, 8, true);
        put_v4(1, 5, 8, 8, true);
        put_v4(1, 5, 80, 8, true);
        put_v4(1, 5, 80, 8, true); /* which is a duplicate */
        put_v4(1, 5, bad[i].offset, bad[i].len, bad[i].more);
        check_counts(0, 5, 0, 1);
        put_v4(1, 5, 16, 64, true);
        put_v4(1, 5, 88, 8, false);
        check_counts(0, 7, 0, 1);
    }
}

static void bounds_the_length_of_a_datagram(void)
{
    begin(101);
    put_v4(1, 1, 0, 65512, true);
    put_v4(1, 1, 65512, 3, false); /* 65,535 with the header */
    put_v4(1, 2, 0, 65512, true);
    put_v4(1, 2, 65512, 4, false); /* one more */
    put_v4(1, 3, 65528, 8, false); /* beyond all lengths */
    check_counts(1, 5, 0, 2);
    check_v4(&seen.frames[0], 1, 65515);
    begin(101);
    put_v6(1, 1, 0, 65504, true);
    put_v6(1, 1, 65504, 23, false); /* 65,535 with the options, without the header */
    put_v6(1, 2, 0, 65504, true);
    put_v6(1, 2, 65504, 24, false);
    check_counts(1, 4, 0, 1);
    check_v6(&seen.frames[0], 1, 65527);
}

static void gives_up_what_stays_incomplete(void)
{
    begin(101);
    put_v4(1, 1, 0, 1480, true); /* 2: the middle one is missing; 3: the first; 1: the last */
    put_v4(1, 2, 0, 1480, true);
    put_v4(1, 2, 2960, 10, false);
    put_v4(1, 3, 1480, 10, false);
    check_counts(0, 4, 3, 0);
    begin(101);
    put_v4(1, 1, 0, 1480, true);
    put_v4(61, 1, 1480, 10, false); /* after 60 s it is still good */
    put_v4(100, 2, 0, 1480, true);
    put_v4(161, 2, 1480, 10, false); /* after 61 s it is the first of another one */
    check_counts(1, 4, 2, 0);
}

/* But it shows that there was a datagram. */
static void takes_no_piece_that_the_snap_length_cut(void)
{
    uint8_t piece[1500];
    begin(101);
    put_v4(1, 1, 0, 1480, true);
    memcpy(piece, file.bytes + file.len - sizeof piece, sizeof piece);
    begin(101);
    put_record(1, 0, piece, 96, sizeof piece);
    check_counts(0, 1, 1, 0);
    put_v4(1, 1, 1480, 100, false);
    check_counts(0, 2, 1, 0);
    put_record(1, 0, piece, sizeof piece, sizeof piece); /* it came a second time */
    check_counts(1, 3, 0, 0);
    check_v4(&seen.frames[0], 1, 1580);
}

/* The one that has waited longest makes room; a packet does not. */
static void bounds_how_many_datagrams_wait(void)
{
    begin(101);
    for (uint16_t id = 0; id < FRAMES_MAX_PENDING + 2; id++) {
        put_v4(id == 0 ? 50 : 1, id, 0, 8, true); /* by the order in the file, not by the clock */
        put_frame(V4_PACKET);
    }
    for (uint16_t id = 0; id < FRAMES_MAX_PENDING + 2; id++)
        put_v4(2, (uint16_t)(FRAMES_MAX_PENDING + 1 - id), 8, 8, false);
    read_file();
    size_t num_whole = 0;
    for (size_t i = 0; i < seen.num; i++)
        num_whole += seen.frames[i].fragments == 2;
    CU_ASSERT_EQUAL(num_whole, FRAMES_MAX_PENDING);
    CU_ASSERT_EQUAL(seen.num, 2 * FRAMES_MAX_PENDING + 2);
    check_v4(&seen.frames[seen.num - 1], 2, 16);
    CU_ASSERT_EQUAL(seen.counts.incomplete, 4); /* the first halves of 0 and 1, and later their second ones */
}

/* RFC 6946: a fragment header around a whole packet makes it no piece of one. */
static void leaves_atomic_fragments_alone(void)
{
    begin(101);
    put_v6(1, 9, 0, 24, false);
    put_v6(1, 9, 0, 24, true);
    put_v6(1, 9, 24, 5, false);
    check_counts(2, 2, 0, 0);
    CU_ASSERT_EQUAL(seen.frames[0].packet.len, 56 + 24);
    CU_ASSERT_EQUAL(seen.frames[0].fragments, 1);
    check_v6(&seen.frames[1], 9, 29);
}

/* Options, DF although it is fragmented, and the link layer in front. */
static void keeps_the_first_fragments_header(void)
{
    begin(1);
    put_frame(MACS "0800 45000015 00070002 40110000 0a010009 0a020007 18");
    put_frame(MACS "0800 46b80028 00076000 3f110000 0a010009 0a020007 01010100"
                   "00010203 04050607 08090a0b 0c0d0e0f");
    check_counts(1, 2, 0, 0);
    CHECK_HEX(seen.frames[0].packet.data, seen.frames[0].packet.len,
              "46b80029 00074000 3f1123f2 0a010009 0a020007 01010100 00010203 04050607 08090a0b 0c0d0e0f 18");
    CU_ASSERT_EQUAL(seen.frames[0].link.len, 0);
}

/* What is in the pieces may be a piece again, or have a header that does not parse. */
static void refuses_what_pieces_make_if_it_is_no_packet(void)
{
    static const char *const insides[] = {"2c 3200 0001 00000008", "3c 3201 0000 00000000"};
    for (int i = 0; i < 2; i++) {
        char hex[512];
        begin(101);
        snprintf(hex, sizeof hex, "60000000 00102c40" V6_PAIR "%.2s00 0001 00000007 %s", insides[i],
                 insides[i] + 2);
        put_frame(hex);
        put_frame("60000000 00092c40" V6_PAIR "0000 0008 00000007 00");
        check_counts(0, 2, 0, 1);
    }
}

CHECK_MAIN("reassembly", {"puts fragments together in any order", puts_fragments_together_in_any_order},
           {"keeps interleaved datagrams apart", keeps_interleaved_datagrams_apart},
           {"ignores exact duplicates", ignores_exact_duplicates},
           {"drops datagrams whose pieces contradict", drops_datagrams_whose_pieces_contradict},
           {"drops contradictions before the end is known", drops_contradictions_before_the_end_is_known},
           {"bounds the length of a datagram", bounds_the_length_of_a_datagram},
           {"gives up what stays incomplete", gives_up_what_stays_incomplete},
           {"takes no piece that the snap length cut", takes_no_piece_that_the_snap_length_cut},
           {"bounds how many datagrams wait", bounds_how_many_datagrams_wait},
           {"leaves atomic fragments alone", leaves_atomic_fragments_alone},
           {"keeps the first fragment's header", keeps_the_first_fragments_header},
           {"refuses what pieces make if it is no packet", refuses_what_pieces_make_if_it_is_no_packet})
