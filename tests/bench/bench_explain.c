/* How fast a capture is explained, and in how much memory.
 *
 *     bench_explain [megabytes]      (1024: what is promised is promised of 1 GB)
 *
 * Packets of 1,400 bytes in a temporary file: all of it without keys, as bytes a second; then a tenth of it
 * with keys, every ICV verified and every payload decrypted, as a ratio to the bare opening of the same
 * packets. It ends with 1 if memory was not bounded, or a packet not counted. */
#include "bench.h"
#include "esp.h"
#include "explanation.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { PACKET_LEN = 1400, ESP_LEN = PACKET_LEN - 20, MAX_PEAK_KB = 64 * 1024 };

static const uint8_t keys[36] = {1};

_Noreturn static void fail(const char *what)
{
    fprintf(stderr, "bench_explain: %s\n", what);
    exit(EXIT_FAILURE);
}

static void little(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static size_t padded_payload_len(const struct p2_esp_keys *esp)
{
    size_t len = ESP_LEN;
    while (p2_esp_sealed_len(esp, len) > ESP_LEN)
        len--;
    return len;
}

/* One packet, an IPv4 header and ESP, sealed with the number. Its length. */
static size_t build(const struct p2_esp_keys *esp, uint8_t *packet, uint32_t sequence)
{
    static const uint8_t iv[P2_CIPHER_MAX_IV], payload[PACKET_LEN];
    size_t payload_len = padded_payload_len(esp), esp_len = p2_esp_sealed_len(esp, payload_len);
    packet[0] = 0x45;
    p2_put_u16(packet + 2, (uint16_t)(20 + esp_len));
    packet[8] = 64;
    packet[9] = 50;
    p2_put_u32(packet + 12, 0xc6336401);
    p2_put_u32(packet + 16, 0xc6336402);
    p2_esp_seal(esp, 0x1001, sequence, iv, 59, (struct p2_bytes){payload, payload_len}, packet + 20);
    return 20 + esp_len;
}

/* Raw IP, nanoseconds. */
static FILE *write_capture(const struct p2_esp_keys *esp, uint64_t num)
{
    uint8_t header[24] = {0}, record[16 + PACKET_LEN] = {0};
    FILE *file = tmpfile();
    little(header, 0xa1b23c4d);
    little(header + 4, 0x00040002);
    little(header + 16, 65535);
    little(header + 20, 101);
    if (!file || fwrite(header, sizeof header, 1, file) != 1)
        fail("no temporary file");
    for (uint64_t i = 0; i < num; i++) {
        size_t len = build(esp, record + 16, (uint32_t)(i + 1));
        little(record, (uint32_t)(i / 1000));
        little(record + 8, (uint32_t)len);
        little(record + 12, (uint32_t)len);
        if (fwrite(record, 16 + len, 1, file) != 1)
            fail("no room for the temporary file");
    }
    if (fflush(file) != 0)
        fail("no room for the temporary file");
    rewind(file);
    return file;
}

/* Seconds, the file closed. */
static double explain(FILE *file, const struct known_keys *known, struct explain_ipsec_counts *counts)
{
    struct frames *frames;
    struct explanation *e;
    char error[FRAMES_ERROR];
    double start = bench_seconds();
    if (frames_open_stream(&frames, file, "bench", error) < 0 ||
        explanation_new(&e, known, EXPLAIN_WINDOW, false) < 0 || explanation_read(e, frames) < 0)
        fail("cannot be read");
    double took = bench_seconds() - start;
    *counts = e->ipsec;
    frames_close(frames);
    explanation_free(e);
    return took;
}

static void without_keys(const struct p2_esp_keys *esp, uint64_t num)
{
    static const struct known_keys none;
    struct explain_ipsec_counts counts;
    struct rusage usage;
    double took = explain(write_capture(esp, num), &none, &counts);
    getrusage(RUSAGE_SELF, &usage);
    printf("without keys: %.0f MB/s, %.2f s for %.0f MB, peak memory %.1f MB\n",
           (double)num * PACKET_LEN / 1e6 / took, took, (double)num * PACKET_LEN / 1e6,
           (double)usage.ru_maxrss / 1024);
    if (counts.packets != num || counts.unknown_spi != num)
        fail("packets are missing");
    if (usage.ru_maxrss > MAX_PEAK_KB)
        fail("memory is not bounded");
}

/* The floor: one of these packets, opened as often. */
static double bare(const struct p2_esp_keys *esp, uint64_t num)
{
    static uint8_t packet[PACKET_LEN], out[PACKET_LEN];
    size_t len = build(esp, packet, 1), payload_len;
    uint8_t next;
    double start = bench_seconds();
    for (uint64_t i = 0; i < num; i++) {
        if (p2_esp_open(esp, packet + 20, len - 20, 1, out, &payload_len, &next) != P2_DROP_NONE)
            fail("a packet does not open");
    }
    return bench_seconds() - start;
}

static void with_keys(const struct p2_esp_keys *esp, uint64_t num)
{
    struct known_esp line = {.family = 4, .any_source = true, .any_destination = true, .spi = 0x1001};
    struct explain_ipsec_counts counts;
    line.cipher = P2_CIPHER_AES128_CBC;
    line.auth = P2_AUTH_HMAC_SHA1_96;
    memcpy(line.encryption_key, keys, 16);
    memcpy(line.authentication_key, keys + 16, 20);
    struct known_keys known = {.esp = &line, .num_esp = 1};
    double took = explain(write_capture(esp, num), &known, &counts), floor = bare(esp, num);
    printf("with keys: %.0f MB/s, %.2f times the bare opening of the packets\n",
           (double)num * PACKET_LEN / 1e6 / took, took / floor);
    if (counts.icv_ok != num)
        fail("ICVs are not good");
}

int main(int argc, char **argv)
{
    uint64_t megabytes = argc > 1 ? strtoull(argv[1], NULL, 10) : 1024;
    struct p2_esp_keys esp;
    uint64_t num = (megabytes << 20) / PACKET_LEN;
    p2_esp_init(&esp, P2_CIPHER_AES128_CBC, keys, P2_AUTH_HMAC_SHA1_96, keys + 16, false);
    if (num < 10)
        fail("1 megabyte or more");
    without_keys(&esp, num);
    with_keys(&esp, num / 10);
    return EXIT_SUCCESS;
}
