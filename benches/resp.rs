//! How fast requests are split and replies written. One element is one command or reply.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use keymesh::resp::{LongDouble, Protocol, Reply, Split, Splitter, encode_command, parse_i64};

const PIPELINE: usize = 64;

fn pipeline(args: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..PIPELINE {
        encode_command(args, &mut bytes);
    }
    bytes
}

fn split(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("split");
    group.throughput(Throughput::Elements(PIPELINE as u64));
    let inline = b"SET key:000000000001 xxx\r\n".repeat(PIPELINE);
    let requests = [
        ("get", pipeline(&[b"GET", b"key:000000000001"])),
        ("set_3", pipeline(&[b"SET", b"key:000000000001", b"xxx"])),
        (
            "set_100",
            pipeline(&[b"SET", b"key:000000000001", &[b'x'; 100]]),
        ),
        (
            "set_2000",
            pipeline(&[b"SET", b"key:000000000001", &[b'x'; 2000]]),
        ),
        ("inline_set", inline),
    ];
    for (name, mut bytes) in requests {
        let mut splitter = Splitter::new();
        let mut spans = Vec::new();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                spans.clear();
                let mut pos = 0;
                let mut commands = 0;
                while let Ok(Split::Command { .. }) =
                    splitter.next(black_box(&mut bytes), &mut pos, &mut spans)
                {
                    commands += 1;
                }
                assert_eq!(commands, PIPELINE);
            });
        });
    }
    group.finish();
}

fn reply(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reply");
    group.throughput(Throughput::Elements(PIPELINE as u64));
    let mut reply = Reply::new(Protocol::Resp2);
    let mut each = |name: &str, write: &dyn Fn(&mut Reply)| {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                reply.clear(1 << 20);
                for _ in 0..PIPELINE {
                    write(black_box(&mut reply));
                }
            });
        });
    };
    each("ok", &Reply::ok);
    each("bulk_3", &|reply| reply.bulk(black_box(b"xxx")));
    each("bulk_100", &|reply| reply.bulk(black_box(&[b'x'; 100])));
    each("integer", &|reply| reply.integer(black_box(123_456)));
    each("double", &|reply| reply.double(black_box(0.1)));
    group.finish();
}

fn number(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("number");
    group.bench_function("parse_i64", |bencher| {
        bencher.iter(|| parse_i64(black_box(b"1234567890")));
    });
    group.bench_function("incrbyfloat", |bencher| {
        bencher.iter(|| {
            let value = LongDouble::parse(black_box(b"10.5"))?;
            let increment = LongDouble::parse(black_box(b"0.1"))?;
            Some(value.add(increment).to_human_string())
        });
    });
    group.finish();
}

criterion_group!(benches, split, reply, number);
criterion_main!(benches);
