#include "capture_file.h"

#include "cursor.h"
#include "ip.h"

#include <string.h>

enum { FILE_HEADER = 24, RECORD_HEADER = 16, ETHERNET = 14 };

static uint32_t get_le32(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void put_le32(uint8_t *bytes, size_t value)
{
    for (size_t i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
}

static size_t record_len(const struct capture_file *file, size_t frame)
{
    return RECORD_HEADER + get_le32(file->bytes.data + file->at[frame] + 8);
}

bool capture_file_read(struct capture_file *file, const uint8_t *data, size_t size)
{
    file->bytes = (struct p2_bytes){data, size};
    file->num = 0;
    if (size < FILE_HEADER || get_le32(data) != 0xa1b2c3d4 || get_le32(data + 20) != 1)
        return false;
    for (size_t at = FILE_HEADER; size - at >= RECORD_HEADER && file->num < CAPTURE_MAX_RECORDS;) {
        size_t len = get_le32(data + at + 8);
        if (len > size - at - RECORD_HEADER)
            break;
        file->at[file->num++] = at;
        at += RECORD_HEADER + len;
    }
    return file->num > 0;
}

struct p2_bytes capture_file_packet(const struct capture_file *file, size_t frame)
{
    const uint8_t *data = file->bytes.data + file->at[frame] + RECORD_HEADER;
    size_t len = record_len(file, frame) - RECORD_HEADER;
    if (len < ETHERNET + P2_IPV4_HEADER_LEN || p2_get_u16(data + 12) != 0x0800 || data[ETHERNET] != 0x45)
        return (struct p2_bytes){NULL, 0};
    size_t total = p2_get_u16(data + ETHERNET + 2);
    bool whole = total >= P2_IPV4_HEADER_LEN && total <= len - ETHERNET;
    return whole ? (struct p2_bytes){data + ETHERNET, total} : (struct p2_bytes){NULL, 0};
}

static size_t put_replaced(uint8_t *out, size_t room, const struct capture_file *file,
                           const struct replacement *r)
{
    size_t kept = RECORD_HEADER + ETHERNET + r->at, len = kept + r->content.len;
    uint8_t *packet = out + RECORD_HEADER + ETHERNET;
    if (len > room)
        return 0;
    memcpy(out, file->bytes.data + file->at[r->frame], kept);
    memcpy(out + kept, r->content.data, r->content.len);
    put_le32(out + 8, len - RECORD_HEADER);
    put_le32(out + 12, len - RECORD_HEADER);
    size_t payload_len = r->at + r->content.len - P2_IPV4_HEADER_LEN;
    p2_ip_set_payload_len(packet, P2_IPV4_HEADER_LEN, payload_len);
    if (r->at >= P2_IPV4_HEADER_LEN + P2_UDP_HEADER_LEN) {
        p2_put_u16(packet + P2_IPV4_HEADER_LEN + 4, (uint16_t)payload_len);
        p2_put_u16(packet + P2_IPV4_HEADER_LEN + 6, 0); /* no checksum: RFC 768 */
    }
    return len;
}

size_t capture_file_write(uint8_t *out, size_t max, const struct capture_file *file,
                          const struct replacement *replacements, size_t num)
{
    size_t used = FILE_HEADER, next = 0;
    if (max < FILE_HEADER)
        return 0;
    memcpy(out, file->bytes.data, FILE_HEADER);
    for (size_t frame = 0; frame < file->num; frame++) {
        size_t len = record_len(file, frame);
        if (next < num && replacements[next].frame == frame) {
            len = put_replaced(out + used, max - used, file, &replacements[next++]);
            if (len == 0)
                return 0;
        } else if (len > max - used) {
            return 0;
        } else {
            memcpy(out + used, file->bytes.data + file->at[frame], len);
        }
        used += len;
    }
    return used;
}
