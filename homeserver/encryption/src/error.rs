use echorift_accounts::UiaRefusal;
use echorift_storage::StorageError;
use echorift_web::MatrixError;
use http::StatusCode;

/// Why something that encryption needs was not done.
#[derive(Debug, thiserror::Error)]
pub enum EncryptionError {
    /// The sentence says what is wrong with the keys.
    #[error("{0}")]
    BadKeys(String),
    /// The sentence says what could not be read.
    #[error("{0}")]
    Unreadable(String),
    #[error("{what} is over the limit of {limit}")]
    TooLarge { what: &'static str, limit: usize },
    #[error("the device is gone")]
    NoSuchDevice,
    /// Cross-signing keys and devices share one space of names.
    #[error("the ID of a device is the public key of a cross-signing key")]
    KeyIdInUse,
    #[error("a cross-signing key is not signed by the master key")]
    BadSignature,
    #[error("there is no master key")]
    NoMasterKey,
    #[error("there is no such backup")]
    NoSuchBackup,
    #[error("there is no such key in the backup")]
    NoSuchBackedUpKey,
    /// Keys are written to the current backup only.
    #[error("the current backup is version {current}")]
    WrongBackup { current: i64 },
    #[error("{0}")]
    BadBackup(&'static str),
    #[error("there is no dehydrated device")]
    NoDehydratedDevice,
    #[error("this is not the dehydrated device")]
    OtherDehydratedDevice,
    #[error("the keys could not be read or written")]
    Storage(#[from] StorageError),
}

impl From<EncryptionError> for MatrixError {
    fn from(error: EncryptionError) -> Self {
        match error {
            EncryptionError::BadKeys(reason) => Self::invalid_param(reason),
            EncryptionError::Unreadable(reason) => Self::bad_json(reason),
            EncryptionError::TooLarge { .. } => Self::too_large(format!("{error}.")),
            EncryptionError::NoSuchDevice => Self::unknown_token("This device is gone.", false),
            EncryptionError::KeyIdInUse => Self::forbidden("The key is the ID of one of your devices."),
            EncryptionError::BadSignature => Self::new(
                StatusCode::BAD_REQUEST,
                "M_INVALID_SIGNATURE",
                "A key is not signed by your master key.",
            ),
            EncryptionError::NoMasterKey => {
                Self::missing_param("There is no master key yet: upload it, too.")
            }
            EncryptionError::NoSuchBackup => Self::not_found("There is no such backup."),
            EncryptionError::NoSuchBackedUpKey => Self::not_found("There is no such key in the backup."),
            EncryptionError::WrongBackup { current } => Self::new(
                StatusCode::FORBIDDEN,
                "M_WRONG_ROOM_KEYS_VERSION",
                "Keys are stored in the current backup only.",
            )
            .with("current_version", current.to_string().into()),
            EncryptionError::BadBackup(reason) => Self::invalid_param(reason),
            EncryptionError::NoDehydratedDevice => Self::not_found("There is no dehydrated device."),
            EncryptionError::OtherDehydratedDevice => Self::forbidden("This is not your dehydrated device."),
            EncryptionError::Storage(cause) => Self::internal(cause),
        }
    }
}

impl From<EncryptionError> for UiaRefusal {
    fn from(error: EncryptionError) -> Self {
        Self::Refused(error.into())
    }
}
