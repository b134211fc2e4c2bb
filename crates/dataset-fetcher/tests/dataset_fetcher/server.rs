//! A server on loopback that behaves as badly as it is told to, bounded in connections and time.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

const MOST_CONNECTIONS: usize = 300;
const LONGEST_LIFE: Duration = Duration::from_secs(120);

/// A question that came.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The first byte that is asked for, where it is not the first of all.
    pub fn range(&self) -> Option<usize> {
        let range = self.header("range")?.strip_prefix("bytes=")?;
        range.strip_suffix('-')?.parse().ok()
    }
}

/// How a question is answered: it is given the question, its number from 0, and where to write.
pub trait Answering:
    Fn(&Request, usize, &mut TcpStream) -> std::io::Result<()> + Send + Sync + 'static
{
}
impl<F: Fn(&Request, usize, &mut TcpStream) -> std::io::Result<()> + Send + Sync + 'static>
    Answering for F
{
}

pub struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(answer: impl Answering) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (seen, stopped, answer) = (requests.clone(), stop.clone(), Arc::new(answer));
        let thread = thread::spawn(move || {
            let started = Instant::now();
            let mut connections = 0;
            while !stopped.load(Ordering::Relaxed)
                && connections < MOST_CONNECTIONS
                && started.elapsed() < LONGEST_LIFE
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

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(
    mut stream: TcpStream,
    seen: &Mutex<Vec<Request>>,
    answer: &dyn Answering,
) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    stream.set_write_timeout(Some(Duration::from_secs(20)))?;
    let request = read_request(&stream)?;
    let number = {
        let mut seen = seen.lock().unwrap();
        seen.push(request.clone());
        seen.len() - 1
    };
    answer(&request, number, &mut stream)
}

fn read_request(stream: &TcpStream) -> std::io::Result<Request> {
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
    Ok(Request {
        method,
        target,
        headers,
    })
}

/// The head of an answer; the connection ends with it.
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

/// A status with nothing to say.
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

/// A well-behaved answer: the whole, or the rest that was asked for as long as `tag` is still the
/// file's.
pub fn give(
    request: &Request,
    stream: &mut TcpStream,
    content: &[u8],
    tag: &str,
) -> std::io::Result<()> {
    begin(request, stream, content, tag).and_then(|rest| stream.write_all(rest))
}

/// The head of a well-behaved answer; gives the bytes that belong to it.
pub fn begin<'a>(
    request: &Request,
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
