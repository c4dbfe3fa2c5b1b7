"""The message of sagemaker-containers, as protobuf makes it of its schema."""

from __future__ import annotations

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_DOUBLE, _FLOAT, _INT32, _UINT64, _TEXT, _MESSAGE, _BYTES = 1, 2, 5, 4, 9, 11, 12
_OPTIONAL, _REPEATED = 1, 3
_PACKAGE = "aialgs.data"


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="record.proto", package=_PACKAGE, syntax="proto2")
    for name, kind in (("Float32Tensor", _FLOAT), ("Float64Tensor", _DOUBLE), ("Int32Tensor", _INT32)):
        tensor = file.message_type.add(name=name)
        for number, (member, type_) in enumerate((("values", kind), ("keys", _UINT64), ("shape", _UINT64)), 1):
            tensor.field.add(name=member, number=number, type=type_, label=_REPEATED).options.packed = True
    value = file.message_type.add(name="Value")
    value.oneof_decl.add(name="value")
    for number, name in ((2, "Float32Tensor"), (3, "Float64Tensor"), (7, "Int32Tensor")):
        member = name.replace("Tensor", "_tensor").lower()
        value.field.add(
            name=member, number=number, type=_MESSAGE, label=_OPTIONAL, type_name=f".{_PACKAGE}.{name}", oneof_index=0
        )
    record = file.message_type.add(name="Record")
    for number, name in ((1, "features"), (2, "label")):
        entry = record.nested_type.add(name=f"{name.title()}Entry")
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, type=_TEXT, label=_OPTIONAL)
        entry.field.add(name="value", number=2, type=_MESSAGE, label=_OPTIONAL, type_name=f".{_PACKAGE}.Value")
        kind = f".{_PACKAGE}.Record.{name.title()}Entry"
        record.field.add(name=name, number=number, type=_MESSAGE, label=_REPEATED, type_name=kind)
    record.field.add(name="metadata", number=4, type=_TEXT, label=_OPTIONAL)
    return file


_POOL = descriptor_pool.DescriptorPool()
_POOL.Add(_file())  # type: ignore[no-untyped-call]
Record = message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.Record"))  # type: ignore[no-untyped-call]
