#include "ns3c-packet.h"

#include <cstring>
#include <memory>
#include <vector>

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(MarkTag);

NumberTag::NumberTag(uint64_t number) : m_number(number)
{
}

uint64_t NumberTag::GetNumber() const
{
    return m_number;
}

uint32_t NumberTag::GetSerializedSize() const
{
    return sizeof m_number;
}

void NumberTag::Serialize(TagBuffer buffer) const
{
    buffer.WriteU64(m_number);
}

void NumberTag::Deserialize(TagBuffer buffer)
{
    m_number = buffer.ReadU64();
}

TypeId MarkTag::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::MarkTag").SetParent<Tag>().SetGroupName("Phase2").AddConstructor<MarkTag>();
    return tid;
}

MarkTag::MarkTag(uint64_t mark) : NumberTag(mark)
{
}

TypeId MarkTag::GetInstanceTypeId() const
{
    return GetTypeId();
}

void MarkTag::Print(std::ostream &os) const
{
    os << "mark=" << GetNumber();
}

uint64_t GetPacketMark(Ptr<const Packet> packet)
{
    MarkTag tag;
    return packet->PeekPacketTag(tag) ? tag.GetNumber() : 0;
}

Ptr<Packet> CreateMarkedPacket(const uint8_t *data, size_t len, uint64_t mark)
{
    Ptr<Packet> packet = Create<Packet>(data, static_cast<uint32_t>(len));
    if (mark) {
        packet->AddPacketTag(MarkTag(mark));
    }
    return packet;
}

uint16_t GetWord(const uint8_t *in)
{
    return static_cast<uint16_t>(in[0] << 8 | in[1]);
}

void PutWord(uint8_t *out, uint32_t value)
{
    out[0] = static_cast<uint8_t>(value >> 8);
    out[1] = static_cast<uint8_t>(value);
}

uint16_t AdjustChecksum(uint16_t checksum, uint16_t before, uint16_t after)
{
    uint32_t sum = (~checksum & 0xffffu) + (~before & 0xffffu) + after;
    sum = (sum >> 16) + (sum & 0xffff);
    sum += sum >> 16;
    return static_cast<uint16_t>(~sum);
}

namespace
{

void Put32(uint8_t *out, uint32_t value)
{
    PutWord(out, value >> 16);
    PutWord(out + 2, value & 0xffff);
}

uint32_t Get32(const uint8_t *in)
{
    return uint32_t{GetWord(in)} << 16 | GetWord(in + 2);
}

/* RFC 1071. */
uint32_t InternetChecksum(const uint8_t *data, size_t len, uint32_t sum = 0)
{
    for (size_t i = 0; i + 1 < len; i += 2) {
        sum += GetWord(data + i);
    }
    if (len % 2) {
        sum += static_cast<uint32_t>(data[len - 1]) << 8;
    }
    sum = (sum >> 16) + (sum & 0xffff);
    sum += sum >> 16;
    return ~sum & 0xffff;
}

void CompleteHeaderChecksum(uint8_t *header)
{
    PutWord(header + 10, 0);
    PutWord(header + 10, InternetChecksum(header, IPV4_HEADER_LEN));
}

/* RFC 8200 section 8.1. */
void CompleteUdpChecksum6(uint8_t *packet, size_t len)
{
    constexpr size_t UDP_HEADER_LEN = 8;
    uint8_t *udp = packet + IPV6_HEADER_LEN;
    const size_t udp_len = len - IPV6_HEADER_LEN;
    if (packet[6] != 17 || udp_len < UDP_HEADER_LEN || udp_len > 0xffff || GetWord(udp + 6) != 0) {
        return;
    }
    const uint32_t addresses = ~InternetChecksum(packet + 8, 32) & 0xffff;
    const uint32_t sum = InternetChecksum(udp, udp_len, addresses + static_cast<uint32_t>(udp_len) + 17);
    PutWord(udp + 6, sum ? sum : 0xffff);
}

} // namespace

void WriteIpv4Header(uint8_t out[IPV4_HEADER_LEN], const Ipv4Header &header, size_t payload_len)
{
    uint32_t fragment = header.GetFragmentOffset() / 8u;
    fragment |= header.IsDontFragment() ? 0x4000 : 0;
    fragment |= header.IsLastFragment() ? 0 : 0x2000;
    out[0] = 0x45;
    out[1] = header.GetTos();
    PutWord(out + 2, static_cast<uint32_t>(IPV4_HEADER_LEN + payload_len));
    PutWord(out + 4, header.GetIdentification());
    PutWord(out + 6, fragment);
    out[8] = header.GetTtl();
    out[9] = header.GetProtocol();
    Put32(out + 12, header.GetSource().Get());
    Put32(out + 16, header.GetDestination().Get());
    CompleteHeaderChecksum(out);
}

bool ReadIpv4Header(Ipv4Header &header, const uint8_t *packet, size_t len)
{
    if (len < IPV4_HEADER_LEN || len > IP_PACKET_MAX || packet[0] != 0x45 || GetWord(packet + 2) != len) {
        return false;
    }
    const uint32_t fragment = GetWord(packet + 6);
    header.SetTos(packet[1]);
    header.SetPayloadSize(static_cast<uint16_t>(len - IPV4_HEADER_LEN));
    header.SetIdentification(static_cast<uint16_t>(GetWord(packet + 4)));
    if (fragment & 0x4000) {
        header.SetDontFragment();
    } else {
        header.SetMayFragment();
    }
    if (fragment & 0x2000) {
        header.SetMoreFragments();
    } else {
        header.SetLastFragment();
    }
    header.SetFragmentOffset(static_cast<uint16_t>((fragment & 0x1fff) * 8));
    header.SetTtl(packet[8]);
    header.SetProtocol(packet[9]);
    header.SetSource(Ipv4Address(Get32(packet + 12)));
    header.SetDestination(Ipv4Address(Get32(packet + 16)));
    return true;
}

void WriteIpv6Header(uint8_t out[IPV6_HEADER_LEN], const Ipv6Header &header, size_t payload_len)
{
    Put32(out, 6u << 28 | uint32_t{header.GetTrafficClass()} << 20 | (header.GetFlowLabel() & 0xfffff));
    PutWord(out + 4, static_cast<uint32_t>(payload_len));
    out[6] = header.GetNextHeader();
    out[7] = header.GetHopLimit();
    header.GetSource().GetBytes(out + 8);
    header.GetDestination().GetBytes(out + 24);
}

bool ReadIpv6Header(Ipv6Header &header, const uint8_t *packet, size_t len)
{
    if (len < IPV6_HEADER_LEN || len > IP_PACKET_MAX || packet[0] >> 4 != 6 ||
        GetWord(packet + 4) != len - IPV6_HEADER_LEN) {
        return false;
    }
    uint8_t addresses[2][16];
    memcpy(addresses, packet + 8, sizeof addresses);
    header.SetTrafficClass(static_cast<uint8_t>(GetWord(packet) >> 4));
    header.SetFlowLabel(Get32(packet) & 0xfffff);
    header.SetPayloadLength(static_cast<uint16_t>(len - IPV6_HEADER_LEN));
    header.SetNextHeader(packet[6]);
    header.SetHopLimit(packet[7]);
    header.SetSource(Ipv6Address(addresses[0]));
    header.SetDestination(Ipv6Address(addresses[1]));
    return true;
}

unsigned GetIpVersion(const uint8_t *packet, size_t len)
{
    const unsigned version = len ? packet[0] >> 4 : 0;
    return version == 4 || version == 6 ? version : 0;
}

void CompleteChecksums(uint8_t *packet, size_t len)
{
    constexpr size_t ICMP_HEADER_LEN = 8;
    constexpr uint8_t ICMP = 1;
    if (GetIpVersion(packet, len) == 6 && len >= IPV6_HEADER_LEN) {
        CompleteUdpChecksum6(packet, len);
        return;
    }
    if (len < IPV4_HEADER_LEN || packet[0] != 0x45) {
        return;
    }
    CompleteHeaderChecksum(packet);
    uint8_t *body = packet + IPV4_HEADER_LEN;
    size_t body_len = len - IPV4_HEADER_LEN;
    if (packet[9] != ICMP || body_len < ICMP_HEADER_LEN || (GetWord(packet + 6) & 0x3fff) != 0) {
        return;
    }
    /* Errors (unreachable, time exceeded) quote a header that left its sender with a checksum of 0 too. */
    if ((body[0] == 3 || body[0] == 11) && body_len >= ICMP_HEADER_LEN + IPV4_HEADER_LEN) {
        CompleteHeaderChecksum(body + ICMP_HEADER_LEN);
    }
    PutWord(body + 2, 0);
    PutWord(body + 2, InternetChecksum(body, body_len));
}

namespace
{

struct ScratchStack {
    std::vector<std::unique_ptr<uint8_t[]>> buffers;
    size_t used = 0;
};

ScratchStack &GetScratchStack()
{
    static ScratchStack stack;
    return stack;
}

} // namespace

Scratch::Scratch()
{
    ScratchStack &stack = GetScratchStack();
    if (stack.used == stack.buffers.size()) {
        stack.buffers.push_back(std::make_unique<uint8_t[]>(IP_PACKET_MAX + 1));
    }
    m_data = stack.buffers[stack.used++].get();
}

Scratch::~Scratch()
{
    GetScratchStack().used--;
}

uint8_t *Scratch::Data()
{
    return m_data;
}

} // namespace ns3
