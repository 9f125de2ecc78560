/* Bounded reading and building of wire formats. Neither can leave its buffer: a reader that runs dry turns
 * `failed` and yields zeros, a builder that runs full turns `failed` and writes nothing more, so callers
 * check once at the end. All integers are big-endian. */
#ifndef P2_CURSOR_H
#define P2_CURSOR_H

#include "base.h"

struct p2_reader {
    const uint8_t *at;
    size_t left;
    bool failed;
};

static inline struct p2_reader p2_reader_init(const uint8_t *data, size_t len)
{
    return (struct p2_reader){data, len, false};
}

/* The next len bytes, borrowed; an empty piece on failure. */
struct p2_bytes p2_read_bytes(struct p2_reader *reader, size_t len);
uint8_t p2_read_u8(struct p2_reader *reader);
uint16_t p2_read_u16(struct p2_reader *reader);
uint32_t p2_read_u32(struct p2_reader *reader);

struct p2_builder {
    uint8_t *data;
    size_t len, capacity;
    bool failed;
};

static inline struct p2_builder p2_builder_init(uint8_t *data, size_t capacity)
{
    return (struct p2_builder){data, 0, capacity, false};
}

/* Room for len bytes, to be filled by the caller; NULL when full. */
uint8_t *p2_build_space(struct p2_builder *builder, size_t len);
void p2_build_bytes(struct p2_builder *builder, const void *data, size_t len);
void p2_build_u8(struct p2_builder *builder, uint8_t value);
void p2_build_u16(struct p2_builder *builder, uint16_t value);
void p2_build_u32(struct p2_builder *builder, uint32_t value);
/* Overwrites what was built before, for lengths that are known late. */
void p2_build_patch_u8(struct p2_builder *builder, size_t offset, uint8_t value);
void p2_build_patch_u16(struct p2_builder *builder, size_t offset, uint16_t value);
void p2_build_patch_u32(struct p2_builder *builder, size_t offset, uint32_t value);

/* For views into packets whose length was checked before. */
static inline uint16_t p2_get_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t p2_get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline uint64_t p2_get_u64(const uint8_t *at)
{
    return (uint64_t)p2_get_u32(at) << 32 | p2_get_u32(at + 4);
}

static inline void p2_put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void p2_put_u32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

static inline void p2_put_u64(uint8_t *at, uint64_t value)
{
    p2_put_u32(at, (uint32_t)(value >> 32));
    p2_put_u32(at + 4, (uint32_t)value);
}

#endif
