//! A little writing on each master, for who has nothing to write: few keys, so that masters write the same ones.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::sleep;

const PAUSE: Duration = Duration::from_millis(700);
const KEYS: u32 = 8;

/// Writes for ever; what cannot be written is tried again.
pub async fn run(ports: &[u16]) {
    loop {
        for port in ports {
            // A master that is away is passed over.
            let _ = write(*port).await;
            sleep(PAUSE / ports.len() as u32).await;
        }
    }
}

async fn write(port: u16) -> std::io::Result<()> {
    let key = rand::random_range(0..KEYS);
    let command = match rand::random_range(0..10) {
        0..5 => format!("INCR visits:{key}\r\n"),
        5..8 => format!("SET page:{key} {port}\r\n"),
        8 => format!("APPEND log:{key} {port},\r\n"),
        _ => format!("DEL page:{key} log:{key}\r\n"),
    };
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(command.as_bytes()).await?;
    // Whatever it says: what matters is on the page.
    stream.read_u8().await?;
    Ok(())
}
