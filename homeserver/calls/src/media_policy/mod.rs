//! What clients are to send in calls, at most: a policy of the server, lowered for a network or by a room.
//!
//! The SFU forwards what it gets and can hold nobody to this; the bundled client reads it and applies it, and any other
//! may. [`MediaPolicy::limited`] is all there is to decide.

mod http;
mod limits;

use serde::Serialize;

pub use self::{
    http::{MediaPolicyApi, NetworkLimits, router},
    limits::{AudioLimits, MediaLimits, ScreenLimits, VideoLimits},
};

/// Bits a second, of media alone.
pub type BitRate = u32;

/// As clients read it: `GET /_echorift/client/v1/rtc/policy`, described in docs/calls.md.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MediaPolicy {
    pub audio: AudioPolicy,
    pub video: VideoPolicy,
    pub screen_share: ScreenPolicy,
}

/// What is said, in Opus. It goes before everything else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AudioPolicy {
    pub codec: AudioCodec,
    pub sample_rate: u32,
    pub channels: u32,
    pub max_bitrate: BitRate,
    /// Forward error correction: lost packets are guessed from the next ones.
    pub fec: bool,
    /// Discontinuous transmission: next to nothing is sent while nobody speaks.
    pub dtx: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AudioCodec {
    Opus,
}

/// What cameras see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VideoPolicy {
    pub enabled: bool,
    /// Sent side by side (simulcast), the smallest first, so that each receiver gets what fits. Never empty.
    pub layers: Vec<Picture>,
    pub codec: VideoCodec,
    /// Instead, where everybody in the call can.
    pub other_codecs: Vec<VideoCodec>,
    /// Where less than this gets through, video is turned off and audio goes on.
    pub off_below_bitrate: BitRate,
}

/// Screens and windows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScreenPolicy {
    pub enabled: bool,
    #[serde(flatten)]
    pub picture: Picture,
    pub codec: VideoCodec,
    pub other_codecs: Vec<VideoCodec>,
}

/// Size and rate of a moving picture, at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Picture {
    pub width: u32,
    pub height: u32,
    pub max_bitrate: BitRate,
    pub max_framerate: u32,
}

impl Picture {
    /// A picture of this height, of the shape that cameras and screens have (16:9).
    pub fn wide(height: u32, max_bitrate: BitRate, max_framerate: u32) -> Self {
        Self {
            width: height.saturating_mul(16) / 9,
            height,
            max_bitrate,
            max_framerate,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum VideoCodec {
    Vp8,
    Vp9,
    H264,
    Av1,
}

impl MediaPolicy {
    /// This policy within these limits. Limits only ever lower: what is above the policy's own numbers changes nothing,
    /// and the order in which several are applied does not matter.
    #[must_use]
    pub fn limited(&self, limits: &MediaLimits) -> Self {
        Self {
            audio: self.audio.limited(&limits.audio),
            video: self.video.limited(&limits.video),
            screen_share: self.screen_share.limited(&limits.screen_share),
        }
    }
}

impl AudioPolicy {
    fn limited(&self, limits: &AudioLimits) -> Self {
        Self {
            max_bitrate: at_most(self.max_bitrate, limits.max_bitrate),
            channels: at_most(self.channels, limits.channels).max(1),
            ..self.clone()
        }
    }
}

impl VideoPolicy {
    /// The lowest layer is always kept, smaller if it must be: whether there is video at all is said by `enabled`.
    fn limited(&self, limits: &VideoLimits) -> Self {
        let mut layers: Vec<Picture> = Vec::with_capacity(self.layers.len());
        let mut bitrate: BitRate = 0;
        for layer in &self.layers {
            bitrate = bitrate.saturating_add(layer.max_bitrate);
            let is_high = limits.max_height.is_some_and(|height| layer.height > height);
            let is_dear = limits.max_bitrate.is_some_and(|limit| bitrate > limit);
            if (is_high || is_dear) && !layers.is_empty() {
                break;
            }
            layers.push(layer.limited(limits.max_height, limits.max_bitrate, limits.max_framerate));
        }
        Self {
            enabled: self.enabled && limits.enabled.unwrap_or(true),
            layers,
            // Sooner off is the lower limit.
            off_below_bitrate: self.off_below_bitrate.max(limits.off_below_bitrate.unwrap_or(0)),
            ..self.clone()
        }
    }
}

impl ScreenPolicy {
    fn limited(&self, limits: &ScreenLimits) -> Self {
        let picture = &self.picture;
        Self {
            enabled: self.enabled && limits.enabled.unwrap_or(true),
            picture: picture.limited(limits.max_height, limits.max_bitrate, limits.max_framerate),
            ..self.clone()
        }
    }
}

impl Picture {
    fn limited(&self, height: Option<u32>, bitrate: Option<BitRate>, framerate: Option<u32>) -> Self {
        let bounds = Self {
            max_bitrate: at_most(self.max_bitrate, bitrate),
            max_framerate: at_most(self.max_framerate, framerate).max(1),
            ..*self
        };
        match height {
            Some(height) if height < self.height => {
                let Self { width, height, .. } = Self::wide(height.max(1), 0, 0);
                Self {
                    width,
                    height,
                    ..bounds
                }
            }
            _ => bounds,
        }
    }
}

fn at_most(value: u32, limit: Option<u32>) -> u32 {
    limit.map_or(value, |limit| value.min(limit))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn policy() -> MediaPolicy {
        MediaPolicy {
            audio: AudioPolicy {
                codec: AudioCodec::Opus,
                sample_rate: 48_000,
                channels: 2,
                max_bitrate: 32_000,
                fec: true,
                dtx: true,
            },
            video: VideoPolicy {
                enabled: true,
                layers: vec![
                    Picture::wide(180, 150_000, 15),
                    Picture::wide(360, 500_000, 24),
                    Picture::wide(720, 1_500_000, 30),
                ],
                codec: VideoCodec::Vp8,
                other_codecs: vec![VideoCodec::H264, VideoCodec::Av1],
                off_below_bitrate: 200_000,
            },
            screen_share: ScreenPolicy {
                enabled: true,
                picture: Picture::wide(1080, 1_500_000, 15),
                codec: VideoCodec::Vp9,
                other_codecs: vec![VideoCodec::Av1],
            },
        }
    }

    fn limited(content: &Value) -> MediaPolicy {
        policy().limited(&MediaLimits::of_content(content))
    }

    #[test]
    fn without_limits_it_stays_as_it_is() {
        assert_eq!(limited(&json!({})), policy());
        assert_eq!(limited(&json!("nonsense")), policy());
    }

    #[test]
    fn nothing_can_be_raised() {
        let raised = limited(&json!({
            "audio": { "max_bitrate": 510_000, "channels": 8 },
            "video": {
                "enabled": true, "max_height": 2_160, "max_bitrate": 50_000_000, "max_framerate": 120,
                "off_below_bitrate": 1,
            },
            "screen_share": { "max_height": 2_160, "max_bitrate": 50_000_000, "max_framerate": 60 },
        }));
        assert_eq!(raised, policy());
        let mut off = policy();
        off.video.enabled = false;
        let on = MediaLimits::of_content(&json!({ "video": { "enabled": true } }));
        assert_eq!(off.limited(&on), off);
    }

    #[test]
    fn audio_is_lowered_but_never_silenced() {
        let audio = limited(&json!({ "audio": { "max_bitrate": 16_000, "channels": 0 } })).audio;
        assert_eq!((audio.max_bitrate, audio.channels), (16_000, 1));
    }

    #[test]
    fn layers_go_from_above() {
        let heights = |content: Value| -> Vec<u32> {
            let layers = limited(&json!({ "video": content })).video.layers;
            layers.iter().map(|layer| layer.height).collect()
        };
        assert_eq!(heights(json!({ "max_height": 360 })), [180, 360]);
        assert_eq!(heights(json!({ "max_height": 700 })), [180, 360]);
        // All layers together.
        assert_eq!(heights(json!({ "max_bitrate": 2_150_000 })), [180, 360, 720]);
        assert_eq!(heights(json!({ "max_bitrate": 2_149_999 })), [180, 360]);
        assert_eq!(heights(json!({ "max_bitrate": 600_000 })), [180]);
    }

    #[test]
    fn the_lowest_layer_stays_and_becomes_as_small_as_it_must() {
        let content = json!({ "video": { "max_bitrate": 100_000, "max_height": 90, "max_framerate": 5 } });
        let layers = limited(&content).video.layers;
        assert_eq!(layers, [Picture::wide(90, 100_000, 5)]);
        assert_eq!(layers[0].width, 160);
    }

    #[test]
    fn video_ends_earlier_but_not_later() {
        let off_below = |threshold: u32| {
            limited(&json!({ "video": { "off_below_bitrate": threshold } }))
                .video
                .off_below_bitrate
        };
        assert_eq!((off_below(300_000), off_below(100_000)), (300_000, 200_000));
    }

    #[test]
    fn the_order_of_limits_does_not_matter() {
        let one = MediaLimits::of_content(&json!({
            "audio": { "max_bitrate": 24_000 }, "video": { "max_height": 400, "max_framerate": 20 },
            "screen_share": { "max_height": 720 },
        }));
        let other = MediaLimits::of_content(&json!({
            "audio": { "channels": 1 }, "video": { "max_bitrate": 700_000, "max_framerate": 10 },
            "screen_share": { "enabled": false, "max_bitrate": 400_000 },
        }));
        let both = policy().limited(&one).limited(&other);
        assert_eq!(both, policy().limited(&other).limited(&one));
        assert_eq!(both.video.layers.len(), 2);
    }

    #[test]
    fn what_is_no_number_limits_nothing() {
        let content = json!({
            "audio": { "max_bitrate": "16000", "channels": -1 },
            "video": { "max_height": 1.5, "enabled": "no" },
            "screen_share": [],
        });
        assert_eq!(limited(&content), policy());
    }
}
