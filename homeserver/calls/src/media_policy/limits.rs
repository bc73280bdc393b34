use serde_json::Value;

use super::BitRate;

/// Lower limits than the policy's own. What is `None` is not limited.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MediaLimits {
    pub audio: AudioLimits,
    pub video: VideoLimits,
    pub screen_share: ScreenLimits,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AudioLimits {
    pub max_bitrate: Option<BitRate>,
    pub channels: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VideoLimits {
    pub enabled: Option<bool>,
    pub max_height: Option<u32>,
    /// Of all layers together.
    pub max_bitrate: Option<BitRate>,
    pub max_framerate: Option<u32>,
    pub off_below_bitrate: Option<BitRate>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScreenLimits {
    pub enabled: Option<bool>,
    pub max_height: Option<u32>,
    pub max_bitrate: Option<BitRate>,
    pub max_framerate: Option<u32>,
}

impl MediaLimits {
    /// The limits in the content of a room's state event. Whoever may send that may be wrong: what is not of the right
    /// kind is passed over, for a call must not fail of it.
    pub fn of_content(content: &Value) -> Self {
        let number = |part: &str, field: &str| {
            let number = content.get(part)?.get(field)?.as_u64()?;
            Some(u32::try_from(number).unwrap_or(u32::MAX))
        };
        let flag = |part: &str| content.get(part)?.get("enabled")?.as_bool();
        Self {
            audio: AudioLimits {
                max_bitrate: number("audio", "max_bitrate"),
                channels: number("audio", "channels"),
            },
            video: VideoLimits {
                enabled: flag("video"),
                max_height: number("video", "max_height"),
                max_bitrate: number("video", "max_bitrate"),
                max_framerate: number("video", "max_framerate"),
                off_below_bitrate: number("video", "off_below_bitrate"),
            },
            screen_share: ScreenLimits {
                enabled: flag("screen_share"),
                max_height: number("screen_share", "max_height"),
                max_bitrate: number("screen_share", "max_bitrate"),
                max_framerate: number("screen_share", "max_framerate"),
            },
        }
    }
}
