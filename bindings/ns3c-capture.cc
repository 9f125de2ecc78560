/* Captures of whole IP packets, tapped where they pass between the IP layer and a link. */
#include "ns3c-impl.h"
#include "ns3c-packet.h"

#include "ns3/simulator.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

using namespace ns3;

namespace
{

constexpr size_t FILE_BUFFER = 1 << 20;

/* The same bytes on every machine. */
uint8_t *PutLittleEndian32(uint8_t *out, uint32_t value)
{
    for (int shift = 0; shift < 32; shift += 8) {
        *out++ = static_cast<uint8_t>(value >> shift);
    }
    return out;
}

} // namespace

struct ns3c_capture {
    ns3c_node *node;
    FILE *file;
    std::unique_ptr<char[]> buffer;
    int error = 0; /* errno of the first write that failed */

    ~ns3c_capture()
    {
        if (file) {
            fclose(file);
        }
    }
    void WriteFileHeader();
    void Write(Ptr<const Packet> packet);
    void Put(const uint8_t *bytes, size_t len);
};

/* Told on closing: until then the simulation goes on. */
void ns3c_capture::Put(const uint8_t *bytes, size_t len)
{
    if (fwrite(bytes, 1, len, file) != len && error == 0) {
        error = errno;
    }
}

/* https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-03.html */
void ns3c_capture::WriteFileHeader()
{
    constexpr uint32_t MAGIC_NANOSECONDS = 0xa1b23c4d, VERSION_2_4 = 2 | 4 << 16, LINKTYPE_RAW = 101;
    uint8_t header[24];
    uint8_t *end = header;
    for (uint32_t field : {MAGIC_NANOSECONDS, VERSION_2_4, 0u, 0u, uint32_t{IP_PACKET_MAX}, LINKTYPE_RAW}) {
        end = PutLittleEndian32(end, field);
    }
    Put(header, sizeof header);
}

void ns3c_capture::Write(Ptr<const Packet> packet)
{
    constexpr int64_t NS_A_SECOND = 1000000000;
    const int64_t now = Simulator::Now().GetNanoSeconds();
    Scratch scratch;
    const uint32_t len = packet->CopyData(scratch.Data(), IP_PACKET_MAX);
    CompleteChecksums(scratch.Data(), len);
    uint8_t header[16];
    uint8_t *end = PutLittleEndian32(header, static_cast<uint32_t>(now / NS_A_SECOND));
    end = PutLittleEndian32(end, static_cast<uint32_t>(now % NS_A_SECOND));
    end = PutLittleEndian32(end, len);
    PutLittleEndian32(end, len);
    Put(header, sizeof header);
    Put(scratch.Data(), len);
}

namespace ns3
{

void AddToCapture(ns3c_capture *capture, Ptr<LinkNetDevice> device)
{
    device->TraceConnectWithoutContext("Sent", MakeCallback(&ns3c_capture::Write, capture));
    device->TraceConnectWithoutContext("Received", MakeCallback(&ns3c_capture::Write, capture));
}

} // namespace ns3

ns3c_capture *ns3c_capture_open(ns3c_node *node, const char *file)
{
    FILE *opened = fopen(file, "wb");
    if (!opened) {
        return nullptr;
    }
    auto capture = std::make_shared<ns3c_capture>();
    capture->node = node;
    capture->file = opened;
    capture->buffer = std::make_unique<char[]>(FILE_BUFFER);
    setvbuf(opened, capture->buffer.get(), _IOFBF, FILE_BUFFER);
    capture->WriteFileHeader();
    for (const auto &device : node->links) {
        AddToCapture(capture.get(), device);
    }
    node->captures.push_back(capture.get());
    Keep(capture);
    return capture.get();
}

int ns3c_capture_close(ns3c_capture *capture)
{
    for (const auto &device : capture->node->links) {
        device->TraceDisconnectWithoutContext("Sent", MakeCallback(&ns3c_capture::Write, capture));
        device->TraceDisconnectWithoutContext("Received", MakeCallback(&ns3c_capture::Write, capture));
    }
    auto &captures = capture->node->captures;
    captures.erase(std::remove(captures.begin(), captures.end(), capture), captures.end());

    const bool unclosed = fclose(capture->file) != 0;
    capture->file = nullptr;
    if (capture->error != 0) {
        errno = capture->error;
    }
    return capture->error != 0 || unclosed ? -1 : 0;
}
