//! A server of files that behaves as badly as a test wants, bounded in connections and time.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

const MAX_CONNECTIONS: usize = 300;
const MAX_LIFETIME: Duration = Duration::from_secs(120);

/// A request that arrived.
#[derive(Clone, Debug)]
pub struct FileRequest {
    /// Such as `GET`.
    pub method: String,
    /// Path and query, or a whole address to a proxy.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
}

impl FileRequest {
    /// The first header of that name, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The first byte of the range that is requested.
    pub fn range(&self) -> Option<usize> {
        let range = self.header("range")?.strip_prefix("bytes=")?;
        range.strip_suffix('-')?.parse().ok()
    }
}

/// Answers a request: it is given the request, its number from 0, and the connection to write to.
pub trait FileHandler:
    Fn(&FileRequest, usize, &mut TcpStream) -> std::io::Result<()> + Send + Sync + 'static
{
}
impl<F: Fn(&FileRequest, usize, &mut TcpStream) -> std::io::Result<()> + Send + Sync + 'static>
    FileHandler for F
{
}

/// The server; it ends with the value.
pub struct FileServer {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<FileRequest>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl FileServer {
    /// Starts it on a free port.
    ///
    /// # Panics
    /// Where there is none.
    pub fn start(answer: impl FileHandler) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        listener
            .set_nonblocking(true)
            .expect("a listener can be polled");
        let address = listener.local_addr().expect("the listener is bound");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (seen, stopped, answer) = (requests.clone(), stop.clone(), Arc::new(answer));
        let thread = thread::spawn(move || {
            let started = Instant::now();
            let mut connections = 0;
            while !stopped.load(Ordering::Relaxed)
                && connections < MAX_CONNECTIONS
                && started.elapsed() < MAX_LIFETIME
            {
                let Ok((stream, _)) = listener.accept() else {
                    thread::sleep(Duration::from_millis(2));
                    continue;
                };
                connections += 1;
                let (seen, answer) = (seen.clone(), answer.clone());
                // Each in a thread of its own: one that stalls must not keep the next from being
                // answered.
                thread::spawn(move || {
                    let _ = serve(stream, &seen, answer.as_ref());
                });
            }
        });
        Self {
            address,
            requests,
            stop,
            thread: Some(thread),
        }
    }

    /// Its address, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Address and port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The requests so far.
    ///
    /// # Panics
    /// Where a thread of the server did.
    pub fn requests(&self) -> Vec<FileRequest> {
        lock(&self.requests).clone()
    }
}

impl Drop for FileServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(
    mut stream: TcpStream,
    seen: &Mutex<Vec<FileRequest>>,
    answer: &dyn FileHandler,
) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    stream.set_write_timeout(Some(Duration::from_secs(20)))?;
    let request = read_request(&stream)?;
    let number = {
        let mut seen = lock(seen);
        seen.push(request.clone());
        seen.len() - 1
    };
    answer(&request, number, &mut stream)
}

fn lock(requests: &Mutex<Vec<FileRequest>>) -> MutexGuard<'_, Vec<FileRequest>> {
    requests
        .lock()
        .expect("nothing panics while the requests are held")
}

fn read_request(stream: &TcpStream) -> std::io::Result<FileRequest> {
    let mut lines = BufReader::new(stream).lines();
    let mut next = || lines.next().unwrap_or_else(|| Ok(String::new()));
    let first = next()?;
    let mut words = first.split(' ').map(str::to_string);
    let (method, target) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let mut headers = Vec::new();
    loop {
        let line = next()?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_string()));
    }
    Ok(FileRequest {
        method,
        target,
        headers,
    })
}

/// The head of a response; the connection ends with it.
///
/// # Errors
/// The client went away.
pub fn head(stream: &mut TcpStream, status: &str, headers: &[(&str, &str)]) -> std::io::Result<()> {
    let lines: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nConnection: close\r\n{lines}\r\n"
    )
}

/// A status without a body.
///
/// # Errors
/// The client went away.
pub fn refuse(
    stream: &mut TcpStream,
    status: &str,
    headers: &[(&str, &str)],
) -> std::io::Result<()> {
    head(
        stream,
        status,
        &[headers, &[("Content-Length", "0")]].concat(),
    )
}

/// A well-behaved response: the whole file, or the range requested as long as `tag` is still the
/// file's.
///
/// # Errors
/// The client went away.
pub fn give(
    request: &FileRequest,
    stream: &mut TcpStream,
    content: &[u8],
    tag: &str,
) -> std::io::Result<()> {
    begin(request, stream, content, tag).and_then(|rest| stream.write_all(rest))
}

/// The head of a well-behaved response; returns the bytes that belong to it.
///
/// # Errors
/// The client went away.
pub fn begin<'a>(
    request: &FileRequest,
    stream: &mut TcpStream,
    content: &'a [u8],
    tag: &str,
) -> std::io::Result<&'a [u8]> {
    let unchanged = request
        .header("if-range")
        .is_none_or(|validator| validator == tag);
    match request.range().filter(|_| unchanged) {
        Some(from) if from >= content.len() => {
            refuse(
                stream,
                "416 Range Not Satisfiable",
                &[("Content-Range", &format!("bytes */{}", content.len()))],
            )?;
            Ok(&[])
        }
        Some(from) => {
            let range = format!("bytes {from}-{}/{}", content.len() - 1, content.len());
            let length = (content.len() - from).to_string();
            head(
                stream,
                "206 Partial Content",
                &[
                    ("Content-Length", &length),
                    ("Content-Range", &range),
                    ("ETag", tag),
                ],
            )?;
            Ok(&content[from..])
        }
        None => {
            head(
                stream,
                "200 OK",
                &[
                    ("Content-Length", &content.len().to_string()),
                    ("ETag", tag),
                ],
            )?;
            Ok(content)
        }
    }
}
