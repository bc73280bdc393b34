use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read};
use std::sync::{Arc, Mutex, mpsc};

/// The newest lines are kept; a failure rarely needs more.
const LINES_MAX: usize = 6000;

/// What a server wrote to its standard output and standard error, the newest lines of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Logs(Arc<Mutex<VecDeque<String>>>);

impl Logs {
    /// Collects lines until the stream ends. Every line goes to `listener` as well, as long as somebody listens.
    pub(crate) fn collect(&self, stream: impl Read + Send + 'static, listener: Option<mpsc::Sender<String>>) {
        let logs = self.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stream).lines() {
                let Ok(line) = line else { return };
                if let Some(listener) = &listener {
                    let _ = listener.send(line.clone());
                }
                logs.push(line);
            }
        });
    }

    pub(crate) fn push(&self, line: String) {
        let mut lines = self.0.lock().unwrap();
        if lines.len() == LINES_MAX {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().cloned().collect()
    }
}
