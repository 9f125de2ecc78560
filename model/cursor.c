#include "cursor.h"

#include <string.h>

struct p2_bytes p2_read_bytes(struct p2_reader *reader, size_t len)
{
    if (reader->failed || len > reader->left) {
        reader->failed = true;
        return (struct p2_bytes){reader->at, 0};
    }
    struct p2_bytes piece = {reader->at, len};
    if (len > 0)
        reader->at += len;
    reader->left -= len;
    return piece;
}

uint8_t p2_read_u8(struct p2_reader *reader)
{
    struct p2_bytes b = p2_read_bytes(reader, 1);
    return b.len ? b.data[0] : 0;
}

uint16_t p2_read_u16(struct p2_reader *reader)
{
    struct p2_bytes b = p2_read_bytes(reader, 2);
    return b.len ? p2_get_u16(b.data) : 0;
}

uint32_t p2_read_u32(struct p2_reader *reader)
{
    struct p2_bytes b = p2_read_bytes(reader, 4);
    return b.len ? p2_get_u32(b.data) : 0;
}

uint8_t *p2_build_space(struct p2_builder *builder, size_t len)
{
    if (builder->failed || len > builder->capacity - builder->len) {
        builder->failed = true;
        return NULL;
    }
    uint8_t *at = builder->data + builder->len;
    builder->len += len;
    return at;
}

void p2_build_bytes(struct p2_builder *builder, const void *data, size_t len)
{
    uint8_t *at = p2_build_space(builder, len);
    if (at && len > 0)
        memcpy(at, data, len);
}

void p2_build_u8(struct p2_builder *builder, uint8_t value)
{
    p2_build_bytes(builder, &value, 1);
}

void p2_build_u16(struct p2_builder *builder, uint16_t value)
{
    uint8_t *at = p2_build_space(builder, 2);
    if (at)
        p2_put_u16(at, value);
}

void p2_build_u32(struct p2_builder *builder, uint32_t value)
{
    uint8_t *at = p2_build_space(builder, 4);
    if (at)
        p2_put_u32(at, value);
}

void p2_build_patch_u8(struct p2_builder *builder, size_t offset, uint8_t value)
{
    if (!builder->failed)
        builder->data[offset] = value;
}

void p2_build_patch_u16(struct p2_builder *builder, size_t offset, uint16_t value)
{
    if (!builder->failed)
        p2_put_u16(builder->data + offset, value);
}

void p2_build_patch_u32(struct p2_builder *builder, size_t offset, uint32_t value)
{
    if (!builder->failed)
        p2_put_u32(builder->data + offset, value);
}
