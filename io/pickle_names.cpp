#include "io/pickle_names.h"

#include <array>
#include <utility>

namespace wsi {

namespace {

struct OpcodeRow {
    uint8_t code;
    std::string_view name;
};
// All of Python's opcodes (pickletools.opcodes), so that a refusal can name what it met.
constexpr OpcodeRow kOpcodes[] = {{0x28, "MARK"},         {0x29, "EMPTY_TUPLE"},
                                  {0x2e, "STOP"},         {0x30, "POP"},
                                  {0x31, "POP_MARK"},     {0x32, "DUP"},
                                  {0x42, "BINBYTES"},     {0x43, "SHORT_BINBYTES"},
                                  {0x46, "FLOAT"},        {0x47, "BINFLOAT"},
                                  {0x49, "INT"},          {0x4a, "BININT"},
                                  {0x4b, "BININT1"},      {0x4c, "LONG"},
                                  {0x4d, "BININT2"},      {0x4e, "NONE"},
                                  {0x50, "PERSID"},       {0x51, "BINPERSID"},
                                  {0x52, "REDUCE"},       {0x53, "STRING"},
                                  {0x54, "BINSTRING"},    {0x55, "SHORT_BINSTRING"},
                                  {0x56, "UNICODE"},      {0x58, "BINUNICODE"},
                                  {0x5d, "EMPTY_LIST"},   {0x61, "APPEND"},
                                  {0x62, "BUILD"},        {0x63, "GLOBAL"},
                                  {0x64, "DICT"},         {0x65, "APPENDS"},
                                  {0x67, "GET"},          {0x68, "BINGET"},
                                  {0x69, "INST"},         {0x6a, "LONG_BINGET"},
                                  {0x6c, "LIST"},         {0x6f, "OBJ"},
                                  {0x70, "PUT"},          {0x71, "BINPUT"},
                                  {0x72, "LONG_BINPUT"},  {0x73, "SETITEM"},
                                  {0x74, "TUPLE"},        {0x75, "SETITEMS"},
                                  {0x7d, "EMPTY_DICT"},   {0x80, "PROTO"},
                                  {0x81, "NEWOBJ"},       {0x82, "EXT1"},
                                  {0x83, "EXT2"},         {0x84, "EXT4"},
                                  {0x85, "TUPLE1"},       {0x86, "TUPLE2"},
                                  {0x87, "TUPLE3"},       {0x88, "NEWTRUE"},
                                  {0x89, "NEWFALSE"},     {0x8a, "LONG1"},
                                  {0x8b, "LONG4"},        {0x8c, "SHORT_BINUNICODE"},
                                  {0x8d, "BINUNICODE8"},  {0x8e, "BINBYTES8"},
                                  {0x8f, "EMPTY_SET"},    {0x90, "ADDITEMS"},
                                  {0x91, "FROZENSET"},    {0x92, "NEWOBJ_EX"},
                                  {0x93, "STACK_GLOBAL"}, {0x94, "MEMOIZE"},
                                  {0x95, "FRAME"},        {0x96, "BYTEARRAY8"},
                                  {0x97, "NEXT_BUFFER"},  {0x98, "READONLY_BUFFER"}};

struct StorageRow {
    std::string_view name;
    DType dtype;
};
constexpr StorageRow kStorages[] = {{"DoubleStorage", DType::F64}, {"FloatStorage", DType::F32},
                                    {"HalfStorage", DType::F16},   {"BFloat16Storage", DType::BF16},
                                    {"LongStorage", DType::I64},   {"IntStorage", DType::I32},
                                    {"ShortStorage", DType::I16},  {"CharStorage", DType::I8},
                                    {"ByteStorage", DType::U8},    {"BoolStorage", DType::Bool}};

}  // namespace

std::string_view opcode_name(uint8_t code) {
    for (const OpcodeRow& row : kOpcodes)
        if (row.code == code) return row.name;
    return "unknown";
}

std::optional<KnownGlobal> known_global(std::string_view module, std::string_view name) {
    if (module == "collections" && name == "OrderedDict")
        return KnownGlobal{PickleGlobal::OrderedDict};
    if (module == "torch._utils" && name == "_rebuild_tensor_v2")
        return KnownGlobal{PickleGlobal::RebuildTensor};
    if (module == "torch._utils" && name == "_rebuild_parameter")
        return KnownGlobal{PickleGlobal::RebuildParameter};
    if (module == "torch" && name == "Size") return KnownGlobal{PickleGlobal::Size};
    for (const StorageRow& row : kStorages)
        if (module == "torch" && name == row.name)
            return KnownGlobal{PickleGlobal::Storage, row.dtype};
    return std::nullopt;
}

}  // namespace wsi
