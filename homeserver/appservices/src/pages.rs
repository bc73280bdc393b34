//! The log, read once for all services.

use std::sync::Arc;

use echorift_encryption::Encryption;
use echorift_rooms::Rooms;
use echorift_storage::{EventNumber, Position, StorageError, UserNumber};
use quick_cache::sync::Cache;
use ruma::events::room::member::MembershipState;

use crate::{interest::Interest, recent::Recent, registry::ServiceSet, store};

/// How many events a page has at most: some milliseconds of work.
const PAGE: usize = 500;
/// How many pages are kept for services that are not quite at the end: one is some 20 kB.
const CACHED_PAGES: usize = 64;

/// A piece of the log.
pub(crate) struct Page {
    /// Everything up to here is in it.
    pub to: Position,
    /// In log order; those that concern nobody are left out.
    pub events: Vec<PageEvent>,
    /// Who has got messages to their devices, and which services want them.
    pub messages: Vec<(UserNumber, ServiceSet)>,
    /// Whose devices have changed, and whom that concerns.
    pub devices: Vec<(UserNumber, ServiceSet)>,
    /// All that is concerned by anything.
    pub concerned: ServiceSet,
}

#[derive(Debug, Clone)]
pub(crate) struct PageEvent {
    pub position: Position,
    pub event: EventNumber,
    pub services: ServiceSet,
}

/// Reads pages, and keeps the latest.
pub(crate) struct Pages {
    pub interest: Interest,
    recent: Arc<Recent>,
    rooms: Rooms,
    encryption: Encryption,
    /// Services that are told what encryption needs.
    encrypted: ServiceSet,
    pages: Cache<Position, Arc<Page>>,
    /// Held while a page is read, so that services that want the same wait for it instead.
    reading: tokio::sync::Mutex<()>,
}

impl Pages {
    pub fn new(interest: Interest, recent: &Arc<Recent>, rooms: &Rooms, encryption: &Encryption) -> Self {
        let services = interest.registry.services.iter();
        let encrypted = services.filter(|service| service.registration.wants_encryption);
        Self {
            encrypted: encrypted.map(|service| service.index).collect(),
            interest,
            recent: Arc::clone(recent),
            rooms: rooms.clone(),
            encryption: encryption.clone(),
            pages: Cache::new(CACHED_PAGES),
            reading: tokio::sync::Mutex::default(),
        }
    }

    /// What the log holds after a position, as far as it is visible. Without a query if it was asked
    /// for before, or is of the latest events.
    pub async fn after(&self, after: Position) -> Result<Arc<Page>, StorageError> {
        if let Some(page) = self.pages.get(&after) {
            return Ok(page);
        }
        let _reading = self.reading.lock().await;
        if let Some(page) = self.pages.get(&after) {
            return Ok(page);
        }
        let visible = self.rooms.database().log().visible();
        let page = Arc::new(self.read(after, visible).await?);
        if page.to > after {
            self.pages.insert(after, Arc::clone(&page));
        }
        Ok(page)
    }

    async fn read(&self, after: Position, visible: Position) -> Result<Page, StorageError> {
        let logged = match self.recent.events((after, visible), PAGE) {
            Some(logged) => logged,
            None => store::events(self.rooms.database(), (after, visible), PAGE).await?,
        };
        let to = match logged.last() {
            Some(last) if logged.len() == PAGE => last.position,
            _ => visible.max(after),
        };
        let mut page = Page {
            to,
            events: Vec::new(),
            messages: Vec::new(),
            devices: Vec::new(),
            concerned: ServiceSet::default(),
        };
        for event in logged {
            let services = self.interest.in_event(&event).await?;
            if services.is_empty() {
                continue;
            }
            page.concerned = page.concerned.and(&services);
            page.events.push(PageEvent {
                position: event.position,
                event: event.event,
                services,
            });
        }
        if !self.encrypted.is_empty() {
            self.read_encryption(&mut page, after).await?;
        }
        Ok(page)
    }

    async fn read_encryption(&self, page: &mut Page, after: Position) -> Result<(), StorageError> {
        for user in self.encryption.recipients(after, page.to).await? {
            let services = self.only_encrypted(&self.interest.of_user(user).await?);
            if !services.is_empty() {
                page.concerned = page.concerned.and(&services);
                page.messages.push((user, services));
            }
        }
        for user in self.encryption.changed_devices(after, page.to).await? {
            let services = self.only_encrypted(&self.around(user).await?);
            if !services.is_empty() {
                page.concerned = page.concerned.and(&services);
                page.devices.push((user, services));
            }
        }
        Ok(())
    }

    /// The services to which a user belongs, or of which somebody shares a room with the user.
    pub async fn around(&self, user: UserNumber) -> Result<ServiceSet, StorageError> {
        let mut concerned = self.interest.of_user(user).await?;
        let rooms = self.rooms.rooms_of(user).await?;
        let joined = rooms
            .iter()
            .filter(|(_, place)| place.membership == MembershipState::Join);
        for (room, _) in joined {
            concerned = concerned.and(&self.interest.in_room(*room).await?);
        }
        Ok(concerned)
    }

    fn only_encrypted(&self, services: &ServiceSet) -> ServiceSet {
        services
            .iter()
            .filter(|index| self.encrypted.contains(*index))
            .collect()
    }
}
