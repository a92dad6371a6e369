import { protoFile } from './compile-protos.ts';

/** A message with a field of every kind, by POST in the body, by GET in the query. */
export const kindsProto = protoFile(`
service Kinds {
  rpc Put(All) returns (All) { option (google.api.http) = {post: "/v1/all" body: "*"}; }
  rpc Find(All) returns (All) { option (google.api.http) = {get: "/v1/all"}; }
  rpc PutOne(One) returns (One) { option (google.api.http) = {post: "/v1/one" body: "*"}; }
}

message One { string its_name = 1; }

enum Colour {
  COLOUR_UNSPECIFIED = 0;
  RED = 1;
  BLUE = 5;
}

message All {
  double f_double = 1;
  float f_float = 2;
  int32 f_int32 = 3;
  int64 f_int64 = 4;
  uint32 f_uint32 = 5;
  uint64 f_uint64 = 6;
  sint32 f_sint32 = 7;
  sint64 f_sint64 = 8;
  fixed32 f_fixed32 = 9;
  fixed64 f_fixed64 = 10;
  sfixed32 f_sfixed32 = 11;
  sfixed64 f_sfixed64 = 12;
  bool f_bool = 13;
  string f_string = 14;
  bytes f_bytes = 15;
  Colour f_colour = 16;
  All f_all = 17;
  One f_one = 18;
  optional int32 o_int32 = 20;
  optional string o_string = 21;
  optional Colour o_colour = 22;
  repeated int32 r_int32 = 30;
  repeated int64 r_int64 = 31;
  repeated string r_string = 32;
  repeated Colour r_colour = 33;
  repeated One r_one = 34;
  repeated bytes r_bytes = 35;
  map<string, int64> m_string_int64 = 40;
  map<int32, One> m_int32_one = 41;
  map<bool, string> m_bool_string = 42;
  map<uint64, Colour> m_uint64_colour = 43;
  oneof choice {
    string c_string = 50;
    int32 c_int32 = 51;
    One c_one = 52;
    google.protobuf.NullValue c_null = 53;
  }
  google.protobuf.Timestamp w_timestamp = 60;
  google.protobuf.Duration w_duration = 61;
  google.protobuf.FieldMask w_mask = 62;
  google.protobuf.Struct w_struct = 63;
  google.protobuf.Value w_value = 64;
  google.protobuf.ListValue w_list = 65;
  google.protobuf.Any w_any = 66;
  google.protobuf.Empty w_empty = 67;
  google.protobuf.BoolValue w_bool = 68;
  google.protobuf.StringValue w_string = 69;
  google.protobuf.Int64Value w_int64 = 70;
  google.protobuf.UInt32Value w_uint32 = 71;
  google.protobuf.DoubleValue w_double = 72;
  google.protobuf.BytesValue w_bytes = 73;
  repeated google.protobuf.Timestamp r_timestamp = 74;
  repeated google.protobuf.Value r_value = 75;
  string named_otherwise = 80 [json_name = "an-other name"];
  string constructor = 81;
}
`);
