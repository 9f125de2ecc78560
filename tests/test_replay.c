/* The replay window: rows of (sequence number, verdict) at every width, and an exact model that forgets
 * nothing. Without extended sequence numbers there is an end at 2^32, which the rows come to; with them the
 * same numbers go on behind it. */
#include "check.h"
#include "replay.h"

enum verdict {
    NEW = P2_DROP_NONE,
    REPLAYED = P2_DROP_REPLAYED,
    TOO_OLD = P2_DROP_TOO_OLD,
    ZERO = P2_DROP_SEQUENCE_ZERO
};

/* The sequence number is windows * width + plus, modulo 2^32: a negative `plus` without windows counts from
 * the end. */
struct row {
    int number;
    uint32_t windows;
    int32_t plus;
    enum verdict verdict;
    bool forged; /* its ICV would not verify: it is checked and never marked */
};

static const struct row rows[] = {
    {1, 0, 0, ZERO, false},      /* before anything was received */
    {2, 0, 1, NEW, false},       /* in order */
    {3, 0, 1, REPLAYED, false},  /* the only one so far */
    {4, 0, 2, NEW, false},       /* in order */
    {5, 0, 3, NEW, false},       /* in order */
    {6, 1, 0, NEW, false},       /* a jump within the window: 1 is its left edge now */
    {7, 0, 1, REPLAYED, false},  /* duplicate at the left edge */
    {8, 0, 4, NEW, false},       /* a late one in the middle */
    {9, 0, 4, REPLAYED, false},  /* and its duplicate */
    {10, 1, 0, REPLAYED, false}, /* duplicate at the top */
    {11, 1, 1, NEW, false},      /* the window moves by one */
    {12, 0, 1, TOO_OLD, false},  /* just outside, although it was seen */
    {13, 0, 2, REPLAYED, false}, /* just inside */
    {14, 1, 6, NEW, false},      /* 5 falls out without having been seen */
    {15, 0, 6, TOO_OLD, false},  /* just outside, never seen */
    {16, 0, 7, NEW, false},      /* just inside, never seen */
    {17, 2, 6, NEW, false},      /* a jump by exactly the window */
    {18, 1, 6, TOO_OLD, false},  /* the top of before is just outside */
    {19, 1, 7, NEW, false},      /* everything inside is unseen */
    {20, 2, 5, NEW, false},      /* also just under the top */
    {21, 3, 7, NEW, false},      /* a jump by one more than the window */
    {22, 2, 6, TOO_OLD, false},    {23, 2, 7, TOO_OLD, false},    {24, 2, 8, NEW, false}, /* the left edge */
    {25, 5, 5, NEW, true},       /* forged, far ahead: the window must not move */
    {26, 2, 8, REPLAYED, false}, /* it did not */
    {27, 2, 9, NEW, false},      /* it did not */
    {28, 5, 5, NEW, false},      /* the forged one's number is still good for the true packet */
    {29, 3, 7, TOO_OLD, false},    {30, 100, 0, NEW, false}, /* a jump by far more */
    {31, 99, 0, TOO_OLD, false},   {32, 99, 1, NEW, false},       {33, 100, 0, REPLAYED, false},
    {34, 100, 1, NEW, false}, /* one good and seven duplicates in one burst */
    {35, 100, 1, REPLAYED, false}, {36, 100, 1, REPLAYED, false}, {37, 100, 1, REPLAYED, false},
    {38, 100, 1, REPLAYED, false}, {39, 100, 1, REPLAYED, false}, {40, 100, 1, REPLAYED, false},
    {41, 100, 1, REPLAYED, false}, {42, 0, 0, ZERO, false}, /* also in the midst of things */
    {43, 0, -2, NEW, false},                                /* the last but one of all numbers */
    {44, 0, -1, NEW, false},                                /* the last one: 2^32 - 1 */
    {45, 0, -1, REPLAYED, false},  {46, 0, -2, REPLAYED, false},  {47, 0, -3, NEW, false},
    {48, 0, 0, ZERO, false},    /* there is nothing behind the end */
    {49, 0, 1, TOO_OLD, false}, /* and nobody starts again */
};

static void run_rows(uint32_t width)
{
    struct p2_replay replay;
    CU_ASSERT_EQUAL_FATAL(p2_replay_init(&replay, width), P2_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        uint32_t sequence = row->windows * width + (uint32_t)row->plus;
        enum p2_drop verdict = p2_replay_check(&replay, sequence);
        if (verdict != (enum p2_drop)row->verdict) {
            printf("\n      width %u, row %d, sequence %u: %s", width, row->number, sequence,
                   p2_drop_name(verdict));
            CU_FAIL("another verdict");
        }
        if (verdict == P2_DROP_NONE && !row->forged)
            p2_replay_mark(&replay, sequence);
    }
    CU_ASSERT_EQUAL(replay.top, UINT32_MAX);
    p2_replay_cleanup(&replay);
}

static const uint32_t widths[] = {32, 64, 1024, 4096, 131072};
#define NUM_WIDTHS (sizeof(widths) / sizeof(widths[0]))

static void rows_hold_at_every_width(void)
{
    for (size_t i = 0; i < NUM_WIDTHS; i++)
        run_rows(widths[i]);
}

/* Whether a row is about the first or the last of all 32-bit numbers. */
static bool is_of_the_ends(const struct row *row)
{
    return (row->windows == 0 && row->plus <= 0) || row->number > 42;
}

/* The same rows with extended sequence numbers, counted from `base` instead of 0: the wire has their lower
 * halves. What is left of the window can not be told from what comes 2^32 later: it is taken for that, which
 * the ICV will refute, and must not be marked. */
static void run_extended_rows(uint32_t width, uint64_t base)
{
    struct p2_replay replay;
    CU_ASSERT_EQUAL_FATAL(p2_replay_init(&replay, width), P2_OK);
    p2_replay_mark(&replay, base);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        uint64_t sequence = base + (uint64_t)row->windows * width + (uint64_t)row->plus;
        bool too_old = row->verdict == TOO_OLD;
        if (is_of_the_ends(row))
            continue;
        uint64_t extended = p2_replay_extend(&replay, (uint32_t)sequence);
        enum p2_drop verdict = p2_replay_check(&replay, extended);
        enum p2_drop expected = too_old ? P2_DROP_NONE : (enum p2_drop)row->verdict;
        uint64_t whole = too_old ? sequence + (UINT64_C(1) << 32) : sequence;
        if (extended != whole || verdict != expected) {
            printf("\n      width %u, base %llx, row %d: %llx, %s", width, (unsigned long long)base,
                   row->number, (unsigned long long)extended, p2_drop_name(verdict));
            CU_FAIL("another number or verdict");
        }
        if (verdict == P2_DROP_NONE && !row->forged && !too_old)
            p2_replay_mark(&replay, extended);
    }
    CU_ASSERT_EQUAL(replay.top, base + 100 * (uint64_t)width + 1);
    p2_replay_cleanup(&replay);
}

/* The border lies ahead of the rows, behind them, and between any two of them that matter; and once more at a
 * later 2^32. */
static void rows_hold_across_2_32_at_every_width(void)
{
    for (size_t i = 0; i < NUM_WIDTHS; i++) {
        uint64_t border = UINT64_C(1) << 32, width = widths[i];
        for (uint64_t windows = 0; windows <= 102; windows++) {
            for (uint64_t plus = 0; plus < 10; plus++) {
                run_extended_rows(widths[i], border - windows * width - plus);
                run_extended_rows(widths[i], 7 * border - windows * width - plus);
            }
        }
    }
}

/* Just inside the left edge at the very end, one for each width: 2^32 - W is in, 2^32 - W - 1 is not. */
static void the_window_reaches_back_from_the_last_number(void)
{
    for (size_t i = 0; i < NUM_WIDTHS; i++) {
        struct p2_replay replay;
        CU_ASSERT_EQUAL_FATAL(p2_replay_init(&replay, widths[i]), P2_OK);
        p2_replay_mark(&replay, UINT32_MAX);
        CU_ASSERT_EQUAL(p2_replay_check(&replay, UINT32_MAX - widths[i] + 1), P2_DROP_NONE);
        CU_ASSERT_EQUAL(p2_replay_check(&replay, UINT32_MAX - widths[i]), P2_DROP_TOO_OLD);
        p2_replay_cleanup(&replay);
    }
}

static void switched_off_it_accepts_everything(void)
{
    static const uint32_t sequences[] = {5, 5, 1, 0, 0, 7, 5, UINT32_MAX, UINT32_MAX, 1};
    struct p2_replay replay;
    CU_ASSERT_EQUAL_FATAL(p2_replay_init(&replay, 0), P2_OK);
    for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
        CU_ASSERT_EQUAL(p2_replay_check(&replay, sequences[i]), P2_DROP_NONE);
        p2_replay_mark(&replay, sequences[i]);
    }
    CU_ASSERT_EQUAL(replay.top, UINT32_MAX); /* reports still show how far the peer is */
    p2_replay_cleanup(&replay);
}

/* What is on the wire and what it must stand for, in turn; the verdict is that of the whole number. */
static void across_2_32_with_extended_sequence_numbers(void)
{
    static const struct {
        int number;
        int64_t from_border; /* the whole number is 2^32 + this */
        enum verdict verdict;
    } esn[] = {
        {1, -10, NEW},       {2, -1, NEW},    {3, -2, NEW},         {4, -1, REPLAYED},
        {5, 0, NEW}, /* not "zero" */
        {6, 0, REPLAYED},    {7, 1, NEW},     {8, -3, NEW},         {9, -3, REPLAYED},
        {10, -10, REPLAYED}, {11, 31, NEW},   {12, 30, NEW},        {13, 0, REPLAYED},
        {14, 2, NEW},        {15, 1000, NEW}, {16, 1000, REPLAYED}, {17, 970, NEW},
        {18, 1001, NEW},
    };
    struct p2_replay replay;
    CU_ASSERT_EQUAL_FATAL(p2_replay_init(&replay, 32), P2_OK);
    for (size_t i = 0; i < sizeof(esn) / sizeof(esn[0]); i++) {
        uint64_t whole = (uint64_t)((INT64_C(1) << 32) + esn[i].from_border);
        uint64_t extended = p2_replay_extend(&replay, (uint32_t)whole);
        enum p2_drop verdict = p2_replay_check(&replay, extended);
        if (extended != whole || verdict != (enum p2_drop)esn[i].verdict) {
            printf("\n      row %d: %llx, %s", esn[i].number, (unsigned long long)extended,
                   p2_drop_name(verdict));
            CU_FAIL("another number or verdict");
        }
        if (verdict == P2_DROP_NONE)
            p2_replay_mark(&replay, extended);
    }
    p2_replay_cleanup(&replay);
}

/* RFC 4303 appendix A2.2, case A (the window lies within one 2^32) and case B (it spans two). */
static void extension_by_hand(void)
{
    static const struct {
        uint64_t top;
        uint32_t lower;
        uint64_t whole;
    } rows_of_64[] = {
        {0, 1, 1},
        {0, UINT32_MAX, UINT32_MAX},
        {63, UINT32_MAX, UINT32_MAX},
        {1000, 937, 937},                                /* A: the left edge */
        {1000, 936, UINT64_C(0x1000003a8)},              /* A: below it belongs to the next */
        {UINT64_C(0x100000000), 0xffffffc1, 0xffffffc1}, /* B: the left edge */
        {UINT64_C(0x100000000), 0xffffffc0, UINT64_C(0x1ffffffc0)},
        {UINT64_C(0x10000003e), 0xffffffff, 0xffffffff}, /* B: the last top for which that is inside */
        {UINT64_C(0x10000003f), 0xffffffff, UINT64_C(0x1ffffffff)},
        {UINT64_C(0x500000064), 0x65, UINT64_C(0x500000065)},
    };
    for (size_t i = 0; i < sizeof(rows_of_64) / sizeof(rows_of_64[0]); i++) {
        struct p2_replay replay;
        CU_ASSERT_EQUAL_FATAL(p2_replay_init(&replay, 64), P2_OK);
        if (rows_of_64[i].top > 0)
            p2_replay_mark(&replay, rows_of_64[i].top);
        CU_ASSERT_EQUAL(p2_replay_extend(&replay, rows_of_64[i].lower), rows_of_64[i].whole);
        p2_replay_cleanup(&replay);
    }
}

/* Checking only looks: as often as one likes, in any order. */
static void checking_changes_nothing(void)
{
    struct p2_replay replay;
    CU_ASSERT_EQUAL_FATAL(p2_replay_init(&replay, 64), P2_OK);
    p2_replay_mark(&replay, 100);
    for (uint32_t sequence = 0; sequence < 1000; sequence++)
        (void)p2_replay_check(&replay, sequence);
    CU_ASSERT_EQUAL(replay.top, 100);
    for (uint32_t sequence = 37; sequence < 100; sequence++)
        CU_ASSERT_EQUAL(p2_replay_check(&replay, sequence), P2_DROP_NONE);
    CU_ASSERT_EQUAL(p2_replay_check(&replay, 100), P2_DROP_REPLAYED);
    p2_replay_cleanup(&replay);
}

/* --- the exact model: the set of all numbers ever marked, one bit each, in a range of 2^24 numbers --- */

#define RANGE_BITS 24
#define RANGE      (UINT32_C(1) << RANGE_BITS)
#define NUM_OPS    10000000

struct model {
    uint64_t base; /* of the range */
    uint64_t top;
    uint64_t seen[RANGE / 64];
    size_t restarts;
};

static struct model model;

static enum p2_drop expected(uint64_t sequence, uint32_t width)
{
    if (sequence == 0)
        return P2_DROP_SEQUENCE_ZERO;
    if (sequence > model.top)
        return P2_DROP_NONE;
    if (sequence + width <= model.top)
        return P2_DROP_TOO_OLD;
    uint32_t i = (uint32_t)(sequence - model.base);
    return model.seen[i / 64] >> i % 64 & 1 ? P2_DROP_REPLAYED : P2_DROP_NONE;
}

static void mark(struct p2_replay *replay, uint64_t sequence)
{
    uint32_t i = (uint32_t)(sequence - model.base);
    p2_replay_mark(replay, sequence);
    model.seen[i / 64] |= UINT64_C(1) << i % 64;
    model.top = sequence > model.top ? sequence : model.top;
}

/* In turn the first numbers, the last ones of 32 bits, those on both sides of 2^32, and the last ones of all.
 */
static void restart(struct p2_replay *replay, uint32_t width)
{
    static const uint64_t bases[] = {0, UINT32_MAX - RANGE + 1, UINT32_MAX - RANGE / 2,
                                     UINT64_MAX - 2 * RANGE};
    p2_replay_cleanup(replay);
    CU_ASSERT_EQUAL_FATAL(p2_replay_init(replay, width), P2_OK);
    model.base = bases[model.restarts++ % 4];
    model.top = 0;
    memset(model.seen, 0, sizeof(model.seen));
    mark(replay, model.base + 2 * width + 1);
}

/* Offsets from the top. Edges: of the window, of the ring (a power of two of words) and of a word. */
static int64_t offset(uint64_t r, uint32_t width, uint32_t ring)
{
    int64_t small = (int64_t)(r >> 8 & 7) - 3, w = width;
    switch (r & 31) {
    case 0:
        return w + small;
    case 1:
        return (int64_t)ring + small;
    case 2:
        return 64 + small;
    case 3:
        return (int64_t)(r >> 16) % w;
    case 4:
    case 5:
    case 6:
    case 7:
    case 8:
        return -w + small;
    case 9:
        return -(int64_t)ring + small;
    case 10:
    case 11:
    case 12:
    case 13:
    case 14:
    case 15:
    case 16:
        return -((int64_t)((r >> 16) % (2 * width)));
    case 17:
    case 18:
    case 19:
    case 20:
        return small;
    default:
        return 1;
    }
}

static void run_model(uint32_t width)
{
    struct test_random random = {.seed = width};
    struct p2_replay replay = {0};
    size_t num[P2_NUM_DROPS] = {0};
    restart(&replay, width);
    for (size_t op = 0; op < NUM_OPS; op++) {
        uint64_t r = test_random_next(&random);
        int64_t ahead = (int64_t)(model.top - model.base) + offset(r, width, replay.words * 64);
        if (ahead > RANGE - 1)
            restart(&replay, width);
        if (ahead < 0 || ahead > RANGE - 1)
            continue;
        uint64_t at = model.base + (uint64_t)ahead;
        enum p2_drop verdict = p2_replay_check(&replay, at);
        if (verdict != expected(at, width))
            CU_FAIL_FATAL("another verdict than the model's");
        /* A number that is less than 2^32 away from the window's edge is known by its lower half. */
        bool known = verdict == P2_DROP_NONE || verdict == P2_DROP_REPLAYED;
        if (known && p2_replay_extend(&replay, (uint32_t)at) != at)
            CU_FAIL_FATAL("extended to another number");
        num[verdict]++;
        if (verdict == P2_DROP_NONE && r >> 60 != 0) /* one in sixteen is forged */
            mark(&replay, at);
    }
    CU_ASSERT_EQUAL(replay.top, model.top);
    CU_ASSERT(num[P2_DROP_NONE] > NUM_OPS / 4 && num[P2_DROP_REPLAYED] > NUM_OPS / 50);
    CU_ASSERT(num[P2_DROP_TOO_OLD] > NUM_OPS / 50);
    p2_replay_cleanup(&replay);
}

static void ten_million_packets_as_in_the_model(void)
{
    for (size_t i = 0; i < NUM_WIDTHS; i++)
        run_model(widths[i]);
    run_model(33); /* widths that are no whole words */
    run_model(127);
}

CHECK_MAIN("replay", {"rows hold at every width", rows_hold_at_every_width},
           {"rows hold across 2^32 at every width", rows_hold_across_2_32_at_every_width},
           {"the window reaches back from the last number", the_window_reaches_back_from_the_last_number},
           {"switched off it accepts everything", switched_off_it_accepts_everything},
           {"checking changes nothing", checking_changes_nothing},
           {"across 2^32 with extended sequence numbers", across_2_32_with_extended_sequence_numbers},
           {"extension by hand", extension_by_hand},
           {"ten million packets as in the model", ten_million_packets_as_in_the_model})
