//! Numbers and texts as C casts them: what libraries make of what does not fit.

use super::escaped;

#[test]
fn struct_packs_and_unpacks_what_does_not_fit_as_redis_does() {
    for (code, reply) in [
        ("return struct.pack('i4', 2^31)", r"$4|\x00\x00\x00\x80|"),
        (
            "return struct.pack('<i8', 2^63)",
            r"$8|\x00\x00\x00\x00\x00\x00\x00\x80|",
        ),
        (
            "return struct.pack('<i8', 2^64)",
            r"$8|\x00\x00\x00\x00\x00\x00\x00\x00|",
        ),
        (
            "return struct.pack('<I8', 2^63)",
            r"$8|\x00\x00\x00\x00\x00\x00\x00\x80|",
        ),
        (
            "return struct.pack('<I8', 2^64)",
            r"$8|\x00\x00\x00\x00\x00\x00\x00\x00|",
        ),
        (
            "return struct.pack('<i8', -2^63)",
            r"$8|\x00\x00\x00\x00\x00\x00\x00\x80|",
        ),
        (
            "return struct.pack('<i8', -2^64)",
            r"$8|\x00\x00\x00\x00\x00\x00\x00\x80|",
        ),
        (
            "return struct.pack('<i8', 1e300)",
            r"$8|\x00\x00\x00\x00\x00\x00\x00\x00|",
        ),
        (
            "return struct.pack('<i8', -1e300)",
            r"$8|\x00\x00\x00\x00\x00\x00\x00\x80|",
        ),
        (
            "return struct.pack('<i8', 0/0)",
            r"$8|\x00\x00\x00\x00\x00\x00\x00\x80|",
        ),
        (
            "return struct.pack('<i8', -(0/0))",
            r"$8|\x00\x00\x00\x00\x00\x00\x00\x80|",
        ),
        ("return struct.pack('<i4', 0/0)", r"$4|\x00\x00\x00\x00|"),
        (
            "return struct.pack('<i8', 1/0)",
            r"$8|\x00\x00\x00\x00\x00\x00\x00\x00|",
        ),
        (
            "return struct.pack('<i8', -0.5)",
            r"$8|\x00\x00\x00\x00\x00\x00\x00\x00|",
        ),
        (
            "return struct.pack('<i9', -2)",
            r"$9|\xfe\xff\xff\xff\xff\xff\xff\xff\x00|",
        ),
        (
            "return struct.pack('<i16', 2)",
            r"$16|\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00|",
        ),
        (
            "return struct.pack('>i16', 2)",
            r"$16|\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02|",
        ),
        (
            "return struct.pack('<i32', 2^63)",
            r"$32|\x00\x00\x00\x00\x00\x00\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00|",
        ),
        (
            r"return struct.unpack('<i9', '\128\255\255\255\255\255\255\255\255')",
            ":-128|",
        ),
        (r"return struct.unpack('i9', ('\128'):rep(9))", ":-128|"),
        (r"return struct.unpack('>i9', ('\128'):rep(9))", ":-128|"),
        (r"return struct.unpack('<i9', ('\128'):rep(9))", ":-128|"),
        (
            r"return struct.unpack('<i9', '\1\2\3\4\5\6\7\8\9')",
            ":-127|",
        ),
        (
            r"return struct.unpack('>i9', '\1\2\3\4\5\6\7\8\9')",
            ":-119|",
        ),
        (
            r"return struct.unpack('<i10', '\1\2\3\4\5\6\7\8\9\10')",
            ":-32255|",
        ),
        (
            r"return struct.unpack('<i12', '\1\2\3\4\5\6\7\8\9\10\11\200')",
            ":-2080177663|",
        ),
        (
            r"return struct.unpack('<i16', ('\129'):rep(16))",
            ":-9114861777597661184|",
        ),
        (
            r"return tostring(struct.unpack('<I9', ('\129'):rep(9)))",
            "$19|9.3318822961119e+18|",
        ),
        (
            r"return tostring(struct.unpack('<I16', '\1\2\3\4\5\6\7\8\9\10\11\200\1\1\1\1'))",
            "$19|5.7843769575231e+17|",
        ),
        (
            r"return tostring(struct.unpack('<i5', ('\129'):rep(5)))",
            "$13|-543288098431|",
        ),
        ("return struct.unpack('i0', '')", ":0|"),
        ("return struct.pack('i0', 5)", "$0||"),
        (r"return struct.pack('b\0b', 1,2)", r"$1|\x01|"),
        (r"return {struct.unpack('b\0b', '\1\2')}", "*2|:1|:2|"),
        (r"return struct.size('b\0b')", ":1|"),
        (r"return struct.size('\0')", ":0|"),
        (
            r"return struct.size('\255')",
            r"-ERR user_script:1: bad argument #1 to \'size\' (invalid format option \'\xff\') script: sha, on @user_script:1.|",
        ),
        (
            r"return struct.pack('\255',1)",
            r"-ERR user_script:1: bad argument #1 to \'pack\' (invalid format option \'\xff\') script: sha, on @user_script:1.|",
        ),
        (
            r"return {struct.unpack('b', '\1\2', -1)}",
            r"-ERR user_script:1: bad argument #2 to \'unpack\' (data string too short) script: sha, on @user_script:1.|",
        ),
        (
            r"return {struct.unpack('b', '\1\2', 0)}",
            r"-ERR user_script:1: bad argument #3 to \'unpack\' (offset must be 1 or greater) script: sha, on @user_script:1.|",
        ),
        (
            r"return {struct.unpack('b', '\1\2', 2^63)}",
            r"-ERR user_script:1: bad argument #2 to \'unpack\' (data string too short) script: sha, on @user_script:1.|",
        ),
        (
            r"return {struct.unpack('b', '\1\2', -2^63)}",
            r"-ERR user_script:1: bad argument #2 to \'unpack\' (data string too short) script: sha, on @user_script:1.|",
        ),
        (
            r"return {struct.unpack('b', '\1\2', 2^32)}",
            r"-ERR user_script:1: bad argument #2 to \'unpack\' (data string too short) script: sha, on @user_script:1.|",
        ),
        (r"return {struct.unpack('', '\1\2', -1)}", "*1|:-1|"),
        (
            r"return {struct.unpack('', '\1\2', 0)}",
            r"-ERR user_script:1: bad argument #3 to \'unpack\' (offset must be 1 or greater) script: sha, on @user_script:1.|",
        ),
        (r"return {struct.unpack('', '\1\2', 100)}", "*1|:100|"),
        (
            r"return {struct.unpack('x', '\1\2', -5)}",
            r"-ERR user_script:1: bad argument #2 to \'unpack\' (data string too short) script: sha, on @user_script:1.|",
        ),
        (
            r"return {struct.unpack('s', 'ab\0', -5)}",
            r"-ERR user_script:1: bad argument #2 to \'unpack\' (data string too short) script: sha, on @user_script:1.|",
        ),
        (
            r"return {struct.unpack('c0', 'ab\0')}",
            r"-ERR user_script:1: format \'c0\' needs a previous size script: sha, on @user_script:1.|",
        ),
        (
            r"return {struct.unpack('bc0', '\255ab\0')}",
            r"-ERR user_script:1: bad argument #2 to \'unpack\' (data string too short) script: sha, on @user_script:1.|",
        ),
        (
            r"return {struct.unpack('bc0', '\9ab\0')}",
            r"-ERR user_script:1: bad argument #2 to \'unpack\' (data string too short) script: sha, on @user_script:1.|",
        ),
        (
            "return {struct.unpack('dc0', struct.pack('d',1e300))}",
            "*2|$0||:9|",
        ),
    ] {
        assert_eq!(escaped(code), reply, "{code}");
    }
}

#[test]
fn cmsgpack_takes_offsets_and_limits_as_redis_does() {
    for (code, reply) in [
        (
            r"return {cmsgpack.unpack_one('\1\2', 2^32)}",
            "-ERR user_script:1: Start offset 0 greater than input length 2. script: sha, on @user_script:1.|",
        ),
        (
            r"return {cmsgpack.unpack_one('\1\2', -1)}",
            "-ERR user_script:1: Invalid request to unpack with offset of -1 and limit of 2. script: sha, on @user_script:1.|",
        ),
        (
            r"return {cmsgpack.unpack_one('\1\2', 2^31)}",
            "-ERR user_script:1: Start offset -2147483648 greater than input length 2. script: sha, on @user_script:1.|",
        ),
        (
            r"return {cmsgpack.unpack_limit('\1\2', 2^32+1)}",
            "*3|:-1|:1|:2|",
        ),
        (
            r"return {cmsgpack.unpack_limit('\1\2', 2^31, 0)}",
            "*3|:-1|:1|:2|",
        ),
        (
            r"return {cmsgpack.unpack_limit('\1\2', 1, 5)}",
            "-ERR user_script:1: Start offset 5 greater than input length 2. script: sha, on @user_script:1.|",
        ),
        (
            r"return {cmsgpack.unpack_limit('\1\2', 0/0, 1)}",
            "-ERR user_script:1: Invalid request to unpack with offset of 1 and limit of 2. script: sha, on @user_script:1.|",
        ),
        (
            r"return {cmsgpack.unpack_limit('\1\2', 1e300, 1e300)}",
            "-ERR user_script:1: Invalid request to unpack with offset of 0 and limit of 2. script: sha, on @user_script:1.|",
        ),
        ("return cmsgpack.pack(2^63)", r"$5|\xca_\x00\x00\x00|"),
        ("return cmsgpack.pack(2^64)", r"$5|\xca_\x80\x00\x00|"),
        (
            "return cmsgpack.pack(-2^63)",
            r"$9|\xd3\x80\x00\x00\x00\x00\x00\x00\x00|",
        ),
        ("return cmsgpack.pack(1/0)", r"$5|\xca\x7f\x80\x00\x00|"),
        (
            "return cmsgpack.pack(0/0)",
            r"$9|\xcb\xff\xf8\x00\x00\x00\x00\x00\x00|",
        ),
    ] {
        assert_eq!(escaped(code), reply, "{code}");
    }
}

#[test]
fn random_numbers_are_drawn_from_intervals_of_ints() {
    for (code, reply) in [
        (
            "return tostring(math.random(2^31))",
            r"-ERR user_script:1: bad argument #1 to \'random\' (interval is empty) script: sha, on @user_script:1.|",
        ),
        (
            "return tostring(math.random(2^32))",
            r"-ERR user_script:1: bad argument #1 to \'random\' (interval is empty) script: sha, on @user_script:1.|",
        ),
        (
            "return tostring(math.random(-2^31,2^31-1))",
            "$11|-2147483648|",
        ),
        (
            "return tostring(math.random(-5,2^31))",
            r"-ERR user_script:1: bad argument #2 to \'random\' (interval is empty) script: sha, on @user_script:1.|",
        ),
        (
            "return tostring(math.random(0/0))",
            r"-ERR user_script:1: bad argument #1 to \'random\' (interval is empty) script: sha, on @user_script:1.|",
        ),
        (
            "return tostring(math.random(1e300))",
            r"-ERR user_script:1: bad argument #1 to \'random\' (interval is empty) script: sha, on @user_script:1.|",
        ),
        (
            "return tostring(math.random(0))",
            r"-ERR user_script:1: bad argument #1 to \'random\' (interval is empty) script: sha, on @user_script:1.|",
        ),
        (
            "return tostring(math.random(3,1))",
            r"-ERR user_script:1: bad argument #2 to \'random\' (interval is empty) script: sha, on @user_script:1.|",
        ),
        (
            "return math.random(1,2,3)",
            "-ERR user_script:1: wrong number of arguments script: sha, on @user_script:1.|",
        ),
        (
            "math.randomseed(2^31) return tostring(math.random())",
            "$14|0.670828036345|",
        ),
        (
            "math.randomseed(2^32+1) return tostring(math.random())",
            "$17|0.041630344484761|",
        ),
        (
            "math.randomseed(1e300) return tostring(math.random())",
            "$16|0.17082803611217|",
        ),
        (
            "math.randomseed(0/0) return tostring(math.random())",
            "$16|0.17082803611217|",
        ),
        (
            "math.randomseed(-1.5) return tostring(math.random())",
            "$16|0.30002572727391|",
        ),
    ] {
        assert_eq!(escaped(code), reply, "{code}");
    }
}

#[test]
fn settings_of_cjson_are_ints_within_bounds() {
    for (code, reply) in [
        (
            "return {cjson.encode_sparse_array(true,2^31,5)}",
            r"-ERR user_script:1: bad argument #1 to \'encode_sparse_array\' (expected integer between 0 and 2147483647) script: sha, on @user_script:1.|",
        ),
        (
            "return {cjson.encode_sparse_array(true,2^32+7,5)}",
            "*3|:1|:7|:5|",
        ),
        (
            "return {cjson.encode_sparse_array(true,-1,5)}",
            r"-ERR user_script:1: bad argument #1 to \'encode_sparse_array\' (expected integer between 0 and 2147483647) script: sha, on @user_script:1.|",
        ),
        (
            "return {cjson.encode_sparse_array(true,1,-5)}",
            r"-ERR user_script:1: bad argument #1 to \'encode_sparse_array\' (expected integer between 0 and 2147483647) script: sha, on @user_script:1.|",
        ),
        (
            "return {cjson.encode_sparse_array(1,1,5)}",
            r"-ERR user_script:1: bad argument #1 to \'encode_sparse_array\' (invalid option \'1\') script: sha, on @user_script:1.|",
        ),
        (
            "return {cjson.encode_sparse_array('on',1,5)}",
            "*3|:1|:1|:5|",
        ),
        (
            "return {cjson.encode_sparse_array('x',1,5)}",
            r"-ERR user_script:1: bad argument #1 to \'encode_sparse_array\' (invalid option \'x\') script: sha, on @user_script:1.|",
        ),
        (
            "return {cjson.encode_sparse_array({},1,5)}",
            r"-ERR user_script:1: bad argument #1 to \'encode_sparse_array\' (string expected, got table) script: sha, on @user_script:1.|",
        ),
        (
            "return {cjson.encode_sparse_array(true,'x',5)}",
            r"-ERR user_script:1: bad argument #2 to \'encode_sparse_array\' (number expected, got string) script: sha, on @user_script:1.|",
        ),
        (
            "return {cjson.encode_sparse_array(true,1,5,6)}",
            r"-ERR user_script:1: bad argument #4 to \'encode_sparse_array\' (found too many arguments) script: sha, on @user_script:1.|",
        ),
        (
            "return {cjson.encode_sparse_array(false,2,10)}",
            "*3|$-1|:2|:10|",
        ),
        ("return {cjson.encode_max_depth(2^32+5)}", "*1|:5|"),
        (
            "return {cjson.encode_max_depth(0)}",
            r"-ERR user_script:1: bad argument #1 to \'encode_max_depth\' (expected integer between 1 and 2147483647) script: sha, on @user_script:1.|",
        ),
        ("return {cjson.encode_max_depth(1000)}", "*1|:1000|"),
        (
            "return {cjson.encode_number_precision(15)}",
            r"-ERR user_script:1: bad argument #1 to \'encode_number_precision\' (expected integer between 1 and 14) script: sha, on @user_script:1.|",
        ),
        (
            "return {cjson.encode_number_precision(0/0)}",
            r"-ERR user_script:1: bad argument #1 to \'encode_number_precision\' (expected integer between 1 and 14) script: sha, on @user_script:1.|",
        ),
    ] {
        assert_eq!(escaped(code), reply, "{code}");
    }
}
