/* Bounded reading and building. Every buffer is allocated at its exact size, so that AddressSanitizer sees
 * one byte too many. */
#include "check.h"
#include "cursor.h"

static uint8_t *copy_exactly(const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    if (len > 0)
        memcpy(copy, data, len);
    return copy;
}

static void reads_big_endian_in_turn(void)
{
    static const uint8_t data[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xff};
    struct p2_reader r = p2_reader_init(data, sizeof(data));
    CU_ASSERT_EQUAL(p2_read_u8(&r), 0x01);
    CU_ASSERT_EQUAL(p2_read_u16(&r), 0x2345);
    CU_ASSERT_EQUAL(p2_read_u32(&r), 0x6789abcd);
    struct p2_bytes rest = p2_read_bytes(&r, 2);
    CU_ASSERT_PTR_EQUAL(rest.data, data + 7);
    CU_ASSERT_EQUAL(rest.len, 2);
    CU_ASSERT_EQUAL(r.left, 0);
    CU_ASSERT_FALSE(r.failed);
}

static void reading_nothing_at_the_end_is_no_failure(void)
{
    static const uint8_t data[] = {1};
    struct p2_reader r = p2_reader_init(data, 1), none = p2_reader_init(NULL, 0);
    p2_read_u8(&r);
    CU_ASSERT_EQUAL(p2_read_bytes(&r, 0).len, 0);
    CU_ASSERT_FALSE(r.failed);
    CU_ASSERT_EQUAL(p2_read_bytes(&none, 0).len, 0);
    CU_ASSERT_FALSE(none.failed);
    CU_ASSERT_EQUAL(p2_read_u8(&none), 0);
    CU_ASSERT_TRUE(none.failed);
}

/* What is left must not be read as if it were the next field. */
static void a_dry_reader_stays_failed_and_yields_zeros(void)
{
    static const uint8_t data[] = {0xaa, 0xbb, 0xcc};
    struct p2_reader r = p2_reader_init(data, sizeof(data));
    CU_ASSERT_EQUAL(p2_read_u32(&r), 0);
    CU_ASSERT_TRUE(r.failed);
    CU_ASSERT_EQUAL(p2_read_u8(&r), 0);
    CU_ASSERT_EQUAL(p2_read_u16(&r), 0);
    CU_ASSERT_EQUAL(p2_read_bytes(&r, 1).len, 0);
    CU_ASSERT_EQUAL(p2_read_bytes(&r, 0).len, 0);
    CU_ASSERT_TRUE(r.failed);
    CU_ASSERT_EQUAL(r.left, 3);
}

static void an_absurd_length_fails(void)
{
    static const uint8_t data[] = {1, 2, 3, 4};
    struct p2_reader r = p2_reader_init(data, sizeof(data));
    p2_read_u8(&r);
    CU_ASSERT_EQUAL(p2_read_bytes(&r, SIZE_MAX).len, 0);
    CU_ASSERT_TRUE(r.failed);
}

/* Buffers of 0 to 12 bytes, each read in fields of 1, 2 and 4 bytes in every order of three. */
static void never_reads_outside(void)
{
    static const uint8_t data[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    for (size_t len = 0; len <= sizeof(data); len++) {
        uint8_t *copy = copy_exactly(data, len);
        for (unsigned order = 0; order < 27; order++) {
            struct p2_reader r = p2_reader_init(copy, len);
            size_t wanted = 0;
            for (unsigned i = 0, o = order; i < 3; i++, o /= 3) {
                wanted += (size_t)1 << o % 3;
                (void)(o % 3 == 0 ? p2_read_u8(&r) : o % 3 == 1 ? p2_read_u16(&r) : p2_read_u32(&r));
            }
            CU_ASSERT_EQUAL(r.failed, wanted > len);
        }
        free(copy);
    }
}

static void builds_big_endian(void)
{
    uint8_t out[16];
    struct p2_builder b = p2_builder_init(out, sizeof(out));
    p2_build_u8(&b, 0x01);
    p2_build_u16(&b, 0x2345);
    p2_build_u32(&b, 0x6789abcd);
    p2_build_bytes(&b, "\xef\xfe", 2);
    uint8_t *space = p2_build_space(&b, 1);
    CU_ASSERT_PTR_EQUAL_FATAL(space, out + 9);
    *space = 0x77;
    CU_ASSERT_FALSE(b.failed);
    CHECK_HEX(out, b.len, "01 2345 6789abcd effe 77");
}

/* Also not a smaller piece that would still fit: half a field must not be followed by the next one. */
static void a_full_builder_writes_nothing_more(void)
{
    uint8_t *out = malloc(6);
    memset(out, 0x5a, 6);
    struct p2_builder b = p2_builder_init(out, 6);
    p2_build_u32(&b, 0x01020304);
    p2_build_u32(&b, 0x05060708);
    CU_ASSERT_TRUE(b.failed);
    p2_build_u8(&b, 9);
    p2_build_u16(&b, 9);
    p2_build_bytes(&b, "9", 1);
    CU_ASSERT_PTR_NULL(p2_build_space(&b, 1));
    CU_ASSERT_EQUAL(b.len, 4);
    CHECK_HEX(out, 6, "01020304 5a5a");
    free(out);
}

static void a_builder_can_be_filled_to_its_last_byte(void)
{
    uint8_t *out = malloc(3);
    struct p2_builder b = p2_builder_init(out, 3);
    p2_build_u16(&b, 0xabcd);
    p2_build_u8(&b, 0xef);
    CU_ASSERT_FALSE(b.failed);
    p2_build_bytes(&b, NULL, 0);
    CU_ASSERT_FALSE(b.failed);
    CHECK_HEX(out, b.len, "abcdef");
    CU_ASSERT_PTR_NULL(p2_build_space(&b, SIZE_MAX));
    CU_ASSERT_TRUE(b.failed);
    free(out);
}

static void patches_what_was_built(void)
{
    uint8_t out[7];
    struct p2_builder b = p2_builder_init(out, sizeof(out));
    p2_build_bytes(&b, "\0\0\0\0\0\0\0", 7);
    p2_build_patch_u8(&b, 0, 0x11);
    p2_build_patch_u16(&b, 1, 0x2233);
    p2_build_patch_u32(&b, 3, 0x44556677);
    CHECK_HEX(out, b.len, "11 2233 44556677");
    p2_build_u8(&b, 1); /* full */
    p2_build_patch_u8(&b, 0, 0);
    p2_build_patch_u16(&b, 1, 0);
    p2_build_patch_u32(&b, 3, 0);
    CHECK_HEX(out, sizeof(out), "11 2233 44556677");
}

static void views_are_big_endian(void)
{
    uint8_t out[6];
    p2_put_u16(out, 0xfedc);
    p2_put_u32(out + 2, 0x80000001);
    CHECK_HEX(out, 6, "fedc 80000001");
    CU_ASSERT_EQUAL(p2_get_u16(out), 0xfedc);
    CU_ASSERT_EQUAL(p2_get_u32(out + 2), 0x80000001);
}

CHECK_MAIN("cursor", {"reads big-endian in turn", reads_big_endian_in_turn},
           {"reading nothing at the end is no failure", reading_nothing_at_the_end_is_no_failure},
           {"a dry reader stays failed and yields zeros", a_dry_reader_stays_failed_and_yields_zeros},
           {"an absurd length fails", an_absurd_length_fails}, {"never reads outside", never_reads_outside},
           {"builds big-endian", builds_big_endian},
           {"a full builder writes nothing more", a_full_builder_writes_nothing_more},
           {"a builder can be filled to its last byte", a_builder_can_be_filled_to_its_last_byte},
           {"patches what was built", patches_what_was_built}, {"views are big-endian", views_are_big_endian})
